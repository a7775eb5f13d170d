/**
 * A zstd frame with the bytes as they are, in raw blocks of 128 KB (RFC 8878, 3.1.1): Node has no compressor before 22.15.
 */
export function rawZstd(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32LE(0xfd2fb528, 0);
  header[4] = 0b1110_0000; // eight bytes of content size, single segment
  header.writeBigUInt64LE(BigInt(bytes.length), 5);
  const parts: Uint8Array[] = [header];
  let from = 0;
  do {
    const block = bytes.subarray(from, from + (1 << 17));
    from += block.length;
    const blockHeader = Buffer.alloc(3);
    blockHeader.writeUIntLE((block.length << 3) | (from === bytes.length ? 1 : 0), 0, 3);
    parts.push(blockHeader, block);
  } while (from < bytes.length);
  return Buffer.concat(parts);
}

/** What `seq 1 400 | zstd -19 | base64` gives, and what was compressed. */
export const realZstd = {
  compressed: Buffer.from(
    "KLUv/QRodRMASl2kCQugxQ1k22RPVe8eApYAlgCWABtwh+3apu3Zlu3Y7ja3tw22A9gFNoE9YAvYAXbBJtgDG4AdwhWm8IQlHOGG" +
      "GV4YhENdNdVTSx11a9arQR3oookeWuigS5MeDegw10zzzDLH3JnzZjAHuWSSRxY55MqUJwM5xBVTPLHEETdmvBjEoVenPl169Hb2" +
      "ddADL058uPDg5eTjgIddm/Zs2bG7ubfBDtf0LMedL+Md5/jGwXgAvAAnwAdwATwAL+AEfIADwEPYFTaFPWFL2BF2w2bYCxuEHWpX" +
      "bao9taV21G5t1l5tUDvQLtpEe2gL7aBd2qQ92oB2mF2zafbMltkxu7M5e7PB7CC7ZJPskS2yQ3ZlU/ZkA9khdsWm2BNbYkfsxmbs" +
      "xQaxQ3d1U/d0S3d0t5vd6wbdgbu4iXu4hTu4y03uMQT6gC6gB+gFnaAPdAB6CLwCp8AncAk8Am/gDHyBg8BD8SpOxae4FI/iLc7i" +
      "Kw6KB+JFnIgPcSEexEucxEccEA/DazgNn+EyPIZ3OIdvOBgehJdwEj7CRXgIr3AKn3AgPASv4BR8gkvwCN7gDL7gIHgor3Iqn3Ip" +
      "j/KWs3zloDyQFzmRD7mQB3nJST5yQB7Ga5zGZ1zGIwMQh9ArdAp9QpfQI/SGztAXOgg9VK/qVH2qS/Wo3uqsvuqgeqBe1In6UBfq" +
      "Qb3USX3UAfUwvabT9Jku02N6p3P6poPpQXpJJ+kjXaSH9Eqn9EkH0kP0ik7RJ7pEj+iNzuiLDqKH9mqn9mmX9mhvO9vXDtoDe7ET" +
      "+7ALe7CXnexjB+xhvdZpfdZlPda7zvWtg/UAeoEeADugOAg=",
    "base64",
  ),
  text: Array.from({ length: 400 }, (_, i) => `${i + 1}\n`).join(""),
};
