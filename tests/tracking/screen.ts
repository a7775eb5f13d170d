/** What is on a terminal's screen after it was written to, by xterm's own emulator. */
import xterm from "@xterm/headless";

export class EmulatedScreen {
  readonly #terminal: xterm.Terminal;
  /** Every write as it came. */
  readonly writes: string[] = [];
  readonly isTTY = true;

  constructor(columns = 100, rows = 40) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      allowProposedApi: true,
      convertEol: true,
      scrollback: 1000,
    });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  write(text: string): void {
    this.writes.push(text);
    this.#terminal.write(text);
  }

  /** As when somebody drags the window's edge. */
  async resize(columns: number): Promise<void> {
    await this.#settled();
    this.#terminal.resize(columns, this.#terminal.rows);
  }

  /** All lines, those that were scrolled out of sight first, without the empty ones at the end. */
  async lines(): Promise<string[]> {
    await this.#settled();
    const { active } = this.#terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true) ?? "",
    );
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  /** Where the cursor is: the row from the top of all lines. */
  async cursor(): Promise<{ readonly row: number; readonly column: number }> {
    await this.#settled();
    const { active } = this.#terminal.buffer;
    return { row: active.baseY + active.cursorY, column: active.cursorX };
  }

  /** Whether the last that was said of the cursor is that it be seen. */
  get showsCursor(): boolean {
    const all = this.writes.join("");
    return all.lastIndexOf("\u001b[?25h") >= all.lastIndexOf("\u001b[?25l");
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write("", resolve));
  }
}
