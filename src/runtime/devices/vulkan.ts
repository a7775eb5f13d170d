import koffi, { type LibraryHandle } from "koffi";

/** What a Vulkan driver offers to compute on. */
export interface VulkanAdapter {
  readonly name: string;
  /** Name and version of the driver; empty where it does not say. */
  readonly driver: string;
  /** Whether it is the CPU that pretends to be a GPU (lavapipe, SwiftShader). */
  readonly isSoftware: boolean;
}

/** `VkPhysicalDeviceType`, the ones that a program which asks for speed is given first in front. */
const PREFERENCE = [2, 1, 3, 0, 4];
const SOFTWARE = 4;
const API_1_1 = (1 << 22) | (1 << 12);
/** `VkStructureType`s. */
const [APPLICATION_INFO, INSTANCE_INFO, PROPERTIES_2, DRIVER_PROPERTIES] = [0, 1, 1000059001, 1000196000];

// As long as the process: see ../ort/library.ts.
let library: LibraryHandle | undefined;

/** The adapters of this machine by Vulkan's loader, the fastest kind first; undefined without a loader. */
export function vulkanAdapters(): readonly VulkanAdapter[] | undefined {
  try {
    library ??= koffi.load("libvulkan.so.1");
  } catch {
    return undefined;
  }
  const create = library.func("int vkCreateInstance(void *info, void *allocator, void *instance)");
  const destroy = library.func("void vkDestroyInstance(void *instance, void *allocator)");
  const list = library.func("int vkEnumeratePhysicalDevices(void *instance, void *count, void *devices)");
  const describe = library.func("void vkGetPhysicalDeviceProperties2(void *device, void *properties)");

  const application = struct(48, [0, APPLICATION_INFO], [44, API_1_1]);
  const info = struct(64, [0, INSTANCE_INFO]);
  info.setBigUint64(24, koffi.address(application), true);
  const instance = new BigUint64Array(1);
  if (create(info, null, instance) !== 0) return [];
  try {
    const count = new Uint32Array(1);
    list(instance[0], count, null);
    const devices = new BigUint64Array(count[0] ?? 0);
    list(instance[0], count, devices);
    const found = Array.from(devices, (device) => {
      const driver = struct(536, [0, DRIVER_PROPERTIES]);
      const properties = struct(840, [0, PROPERTIES_2]);
      properties.setBigUint64(8, koffi.address(driver), true);
      describe(device, properties);
      const type = properties.getUint32(32, true);
      return {
        type,
        name: textIn(properties, 36, 256),
        driver: [textIn(driver, 20, 256), textIn(driver, 276, 256)].filter(Boolean).join(" "),
        isSoftware: type === SOFTWARE,
      };
    });
    return found
      .sort((a, b) => PREFERENCE.indexOf(a.type) - PREFERENCE.indexOf(b.type))
      .map(({ name, driver, isSoftware }) => ({ name, driver, isSoftware }));
  } finally {
    destroy(instance[0], null);
  }
}

/** Zeros with some 32-bit numbers in them, outside of V8's heap. */
function struct(bytes: number, ...fields: readonly (readonly [offset: number, value: number])[]): DataView {
  const view = new DataView(new ArrayBuffer(bytes));
  for (const [offset, value] of fields) view.setUint32(offset, value, true);
  return view;
}

function textIn(view: DataView, offset: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, offset, length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? length : end));
}
