/**
 * The bar chart, by Chartist: it writes plain SVG that the page's own style sheet colours, light or dark, has no
 * dependencies, and reports the position of each bar, so that names, values and spreads can be put beside it.
 */
import { AutoScaleAxis, BarChart, type BarDrawEvent } from "chartist";
import { ENTRANTS } from "./entrants.js";
import { mhs } from "./figures.js";
import type { Rates } from "./rounds.js";
import { quartiles } from "./statistics.js";

const ROW_PX = 52;
const AXIS_PX = 28;
/** From the middle of a row: its name above, its bar below. */
const NAME_PX = -9;
const BAR_PX = 7;
/** Room for a value behind the longest bar. */
const VALUE_PX = 48;

/** An axis has to go somewhere, even with nothing on it. */
const LEAST_HIGH = 0.01;

/** As Chartist counts rows. */
const FROM_BELOW = [...ENTRANTS].reverse();

export class Chart {
  readonly #element: HTMLElement;
  readonly #chart: BarChart;
  #rates: Rates = {};
  #missing: ReadonlySet<string> = new Set();

  constructor(element: HTMLElement) {
    this.#element = element;
    this.#chart = new BarChart(element, this.#data(), this.#options());
    this.#chart.on("draw", (event) => {
      if (event.type === "bar") this.#drawRow(event);
    });
  }

  /** Shows what has been measured so far; the rows in `missing` will not be measured. */
  show(rates: Rates, missing: ReadonlySet<string> = new Set()): void {
    this.#rates = rates;
    this.#missing = missing;
    this.#element.toggleAttribute("data-empty", Object.keys(rates).length === 0);
    this.#chart.update(this.#data(), this.#options());
  }

  #options() {
    return {
      horizontalBars: true,
      height: ENTRANTS.length * ROW_PX + AXIS_PX,
      chartPadding: { top: 0, right: VALUE_PX, bottom: 0, left: 0 },
      axisX: {
        type: AutoScaleAxis,
        low: 0,
        // The bars are medians; the fastest rounds must fit in, too.
        high: Math.max(...Object.values(this.#rates).flat(), LEAST_HIGH),
        offset: AXIS_PX,
        scaleMinSpace: 64,
      },
      axisY: { offset: 0, showLabel: false, showGrid: false },
    };
  }

  #data() {
    const medians = FROM_BELOW.map(({ name }) => {
      const measured = this.#rates[name] ?? [];
      return measured.length > 0 ? quartiles(measured).median : 0;
    });
    return { labels: FROM_BELOW.map(({ label }) => label), series: [medians] };
  }

  #drawRow({ group, element, index, x1, x2, y1, axisX, chartRect }: BarDrawEvent): void {
    const entrant = FROM_BELOW[index];
    if (!entrant) return;
    const y = y1 + BAR_PX;
    group.elem("text", { x: x1, y: y1 + NAME_PX }, "bar-name").text(entrant.label);
    group.elem("line", { x1: chartRect.x1, x2: chartRect.x2, y1: y, y2: y }, "bar-track", true);
    element.attr({ y1: y, y2: y }).addClass(entrant.isOurs ? "bar-ours" : "bar-theirs");
    const measured = this.#rates[entrant.name] ?? [];
    const write = (x: number, text: string, name: string) =>
      group.elem("text", { x: x + 8, y: y + 5 }, name).text(text);
    if (this.#missing.has(entrant.name)) write(x1, "not measured", "bar-missing");
    if (measured.length === 0) return;
    const { median, low, high } = quartiles(measured);
    const at = (value: number) => chartRect.x1 + axisX.projectValue(value);
    if (measured.length > 1) group.elem("line", { x1: at(low), x2: at(high), y1: y, y2: y }, "bar-spread");
    write(Math.max(x2, at(high)), mhs(median), "bar-value");
  }
}
