import { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";

/** What a block is drawn on: a terminal, or what stands for one in a test. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** All of an update is shown at once; terminals that do not know these two leave them out. */
const beginUpdate = "\u001b[?2026h";
const endUpdate = "\u001b[?2026l";
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearBelow = "\u001b[J";

/**
 * Lines at the bottom of a terminal that are drawn again and again, while everything else stays above them. The cursor is hidden
 * and waits on the empty line below: what a terminal echoes there (`^C`) goes with the next drawing.
 *
 * At a real terminal, other output of this process (a `console.log`) is put above the block, too, the window may be resized, and the
 * cursor comes back however the process exits.
 */
export class LiveBlock {
  readonly #screen: Screen;
  readonly #write: (text: string) => unknown;
  readonly #undo: (() => void)[] = [];
  #lines: readonly string[] = [];
  #isDrawn = false;
  #hidden = false;
  /** Whether other output left the cursor in the middle of a line. */
  #midLine = false;

  constructor(screen: Screen) {
    this.#screen = screen;
    const write = screen.write;
    this.#write = (text) => write.call(screen, text);
  }

  get columns(): number {
    return this.#screen.columns ?? 80;
  }

  /** Text that stays, above the block. */
  print(text: string): void {
    if (this.#lines.length === 0) this.#write(`${text}\n`);
    else this.#update(`${text}\n`);
  }

  /** Replaces the block; without lines there is none. Each line must be shorter than the terminal is wide. */
  draw(lines: readonly string[]): void {
    if (lines.length === 0 && this.#lines.length === 0) return;
    const above = this.#toTop();
    this.#lines = lines;
    if (lines.length === 0) {
      this.#isDrawn = false;
      this.#write(`${above}${clearBelow}`);
      return;
    }
    if (!this.#hidden) this.#begin();
    this.#show(above, "");
  }

  /** Takes the block away and gives the cursor back. */
  end(): void {
    this.draw([]);
    if (this.#hidden) this.#write(showCursor);
    this.#hidden = false;
    for (const undo of this.#undo.splice(0)) undo();
  }

  #update(text: string): void {
    this.#show(this.#toTop(), text);
  }

  #show(above: string, text: string): void {
    const block = this.#lines.map((line) => `${line}\n`).join("");
    this.#write(`${beginUpdate}${above}${clearBelow}${text}${block}${endUpdate}`);
    this.#isDrawn = true;
  }

  /** To the block's first line. A terminal that became narrower has wrapped what was wider. */
  #toTop(): string {
    if (!this.#isDrawn) {
      const start = this.#midLine ? "\n" : "\r";
      this.#midLine = false;
      return start;
    }
    const rows = this.#lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / this.columns)),
      0,
    );
    return `\u001b[${rows}A\r`;
  }

  #begin(): void {
    this.#hidden = true;
    this.#write(hideCursor);
    const screen = this.#screen;
    if (!(screen instanceof WriteStream)) return;
    // `process.exit`, an uncaught error: nobody closes us then.
    const restore = () => this.#write(showCursor);
    process.once("exit", restore);
    const redraw = () => {
      if (this.#isDrawn) this.#update("");
    };
    screen.on("resize", redraw);
    this.#undo.push(
      () => process.off("exit", restore),
      () => screen.off("resize", redraw),
    );
    for (const stream of new Set([process.stdout, process.stderr, screen]))
      if (stream.isTTY) this.#makeWay(stream);
  }

  /** Lets whatever else is written to a terminal stand above the block, which comes back below it when it is drawn next. */
  #makeWay(stream: WriteStream): void {
    const write = stream.write;
    const guarded = ((...given: Parameters<typeof write>) => {
      if (this.#isDrawn) {
        this.#write(`${this.#toTop()}${clearBelow}`);
        this.#isDrawn = false;
      }
      const [text] = given;
      if (text.length > 0) this.#midLine = typeof text !== "string" || !text.endsWith("\n");
      return write.apply(stream, given);
    }) as typeof write;
    stream.write = guarded;
    this.#undo.push(() => {
      if (stream.write === guarded) stream.write = write;
    });
  }
}
