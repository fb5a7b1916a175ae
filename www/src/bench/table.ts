/** The results as a table: the numbers of the chart. */
import { make } from "../page.js";
import type { Listed } from "./entrants.js";
import { times } from "./figures.js";
import { ratio, type Rates } from "./rounds.js";
import { quartiles } from "./statistics.js";

interface Cells {
  row: HTMLTableRowElement;
  rate: HTMLTableCellElement;
  ratio: HTMLTableCellElement;
  usual: HTMLTableCellElement;
}

/** The content of a table. */
export interface TableOptions {
  entrants: readonly Listed[];
  /** The row that the others are compared with. */
  usual: string;
  /** Formats a rate, in millions per second. */
  rate(value: number): string;
  /** Returns the duration of a usual challenge at a rate, in milliseconds. */
  usualMs(rate: number): string;
}

export class ResultTable {
  readonly #options: TableOptions;
  readonly #cells = new Map<string, Cells>();
  readonly #failures = new Map<string, HTMLTableCellElement>();

  /** Makes the rows in an empty body. */
  constructor(body: HTMLElement, options: TableOptions) {
    this.#options = options;
    for (const entrant of options.entrants) {
      const row = make("tr", entrant.isOurs ? "ours" : "");
      row.dataset.testid = `row-${entrant.name}`;
      const head = make("th", "");
      head.scope = "row";
      head.append(make("span", "entrant", entrant.label), make("span", "entrant-note", noteOf(entrant)));
      row.append(head);
      body.append(row);
      const cell = () => make("td", "");
      this.#cells.set(entrant.name, { row, rate: cell(), ratio: cell(), usual: cell() });
    }
    this.clear();
  }

  clear(): void {
    this.#failures.clear();
    this.show({});
    this.mark(undefined);
  }

  /** Marks the row whose turn it is. */
  mark(name: string | undefined): void {
    for (const [each, { row }] of this.#cells) row.toggleAttribute("data-now", each === name);
  }

  /** Shows a sentence in place of the row's numbers, and below it the browser's message. */
  fail(name: string, sentence: string, detail: string): void {
    if (!this.#cells.has(name)) return;
    const cell = make("td", "missing", `Not measured. ${sentence}`);
    cell.colSpan = 3;
    if (detail) cell.append(make("span", "detail", detail));
    this.#failures.set(name, cell);
  }

  show(rates: Rates): void {
    const { usual, rate, usualMs } = this.#options;
    for (const [name, cells] of this.#cells) {
      const failure = this.#failures.get(name);
      if (failure) {
        replaceCells(cells.row, [failure]);
        continue;
      }
      const measured = rates[name] ?? [];
      const spread = measured.length > 0 ? quartiles(measured) : undefined;
      const against = ratio(rates, name, usual);
      cells.rate.textContent = spread ? rate(spread.median) : "–";
      if (spread && measured.length > 1)
        cells.rate.append(make("span", "spread", `${rate(spread.low)}–${rate(spread.high)}`));
      cells.ratio.textContent = against ? `${times(against.median)} ×` : "–";
      cells.usual.textContent = spread ? `${usualMs(spread.median)} ms` : "–";
      replaceCells(cells.row, [cells.rate, cells.ratio, cells.usual]);
    }
  }
}

const noteOf = ({ version, note }: Listed) => `${version}, ${note}`;

/** All after the row's head. */
function replaceCells(row: HTMLTableRowElement, cells: readonly HTMLTableCellElement[]): void {
  row.replaceChildren(row.cells[0] as HTMLTableCellElement, ...cells);
}
