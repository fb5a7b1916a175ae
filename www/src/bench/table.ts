/** The results as a table: what the chart shows, in numbers. */
import { make } from "../page.js";
import { ENTRANTS, type Entrant, USUAL } from "./entrants.js";
import { mhs, times, usualMs } from "./figures.js";
import { ratio, type Rates } from "./rounds.js";
import { quartiles } from "./statistics.js";

interface Cells {
  row: HTMLTableRowElement;
  rate: HTMLTableCellElement;
  ratio: HTMLTableCellElement;
  usual: HTMLTableCellElement;
}

export class ResultTable {
  readonly #cells = new Map<string, Cells>();
  readonly #failures = new Map<string, HTMLTableCellElement>();

  /** Makes the rows in an empty body. */
  constructor(body: HTMLElement) {
    for (const entrant of ENTRANTS) {
      const row = make("tr", entrant.engine ? "ours" : "");
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

  /** A sentence in place of the row's numbers, and below it what the browser says. */
  fail(name: string, sentence: string, detail: string): void {
    const cell = make("td", "missing", `Not measured. ${sentence}`);
    cell.colSpan = 3;
    if (detail) cell.append(make("span", "detail", detail));
    this.#failures.set(name, cell);
  }

  show(rates: Rates): void {
    for (const [name, cells] of this.#cells) {
      const failure = this.#failures.get(name);
      if (failure) {
        replaceCells(cells.row, [failure]);
        continue;
      }
      const measured = rates[name] ?? [];
      const spread = measured.length > 0 ? quartiles(measured) : undefined;
      const against = ratio(rates, name, USUAL);
      cells.rate.textContent = spread ? mhs(spread.median) : "–";
      if (spread && measured.length > 1)
        cells.rate.append(make("span", "spread", `${mhs(spread.low)}–${mhs(spread.high)}`));
      cells.ratio.textContent = against ? `${times(against.median)} ×` : "–";
      cells.usual.textContent = spread ? `${usualMs(spread.median)} ms` : "–";
      replaceCells(cells.row, [cells.rate, cells.ratio, cells.usual]);
    }
  }
}

const noteOf = ({ version, note }: Entrant) => `${version}, ${note}`;

/** All after the row's head. */
function replaceCells(row: HTMLTableRowElement, cells: readonly HTMLTableCellElement[]): void {
  row.replaceChildren(row.cells[0] as HTMLTableCellElement, ...cells);
}
