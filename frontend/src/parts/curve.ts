import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ProgressPoint } from "../bindings/marketplace";
import { h } from "../dom";

const HEIGHT = 260;
const FONT = "12px Inter, system-ui, sans-serif";
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** The loss curve: training loss by step, evaluation loss where there is one. */
export class Curve {
  readonly element = h("div", { class: "curve" });
  readonly #caption = h("p", { class: "muted", "aria-live": "polite" }, "Waiting for the first step.");
  readonly #box = h("div", { class: "plot", role: "img", "aria-label": "Training loss by step" });
  #plot: uPlot | null = null;
  #count = 0;
  readonly #resize = new ResizeObserver(() => this.#fit());

  constructor() {
    this.element.append(this.#box, this.#caption);
    this.#resize.observe(this.#box);
  }

  show(points: ProgressPoint[]): void {
    const last = points.at(-1)?.progress;
    if (last === undefined || points.length === this.#count) return;
    this.#count = points.length;
    const column = (value: (point: ProgressPoint) => number | undefined) => points.map((p) => value(p) ?? null);
    const evaluated = points.some((point) => point.progress.eval_loss !== undefined);
    const data = [
      points.map((point) => point.progress.step),
      column((point) => point.progress.loss),
      ...(evaluated ? [column((point) => point.progress.eval_loss)] : []),
    ] as uPlot.AlignedData;
    if (this.#plot?.series.length === data.length) this.#plot.setData(data);
    else {
      this.#plot?.destroy();
      this.#plot = new uPlot(options(this.#width(), evaluated), data, this.#box);
    }
    this.#caption.textContent = describe(last);
  }

  destroy(): void {
    this.#resize.disconnect();
    this.#plot?.destroy();
  }

  #width(): number {
    return Math.max(240, this.#box.clientWidth);
  }

  #fit(): void {
    this.#plot?.setSize({ width: this.#width(), height: HEIGHT });
  }
}

function describe(progress: ProgressPoint["progress"]): string {
  const parts = [
    `Step ${progress.step} of ${progress.total_steps}`,
    `epoch ${progress.epoch.toFixed(2)}`,
    `loss ${progress.loss.toFixed(4)}`,
  ];
  if (progress.eval_loss !== undefined) parts.push(`evaluation loss ${progress.eval_loss.toFixed(4)}`);
  if (progress.eval_accuracy !== undefined) parts.push(`accuracy ${(progress.eval_accuracy * 100).toFixed(1)} %`);
  return `${parts.join(" · ")}`;
}

function colour(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(width: number, evaluated: boolean): uPlot.Options {
  const evaluation: uPlot.Series = {
    label: "evaluation loss",
    stroke: colour("--plot-second"),
    width: 2,
    spanGaps: true,
    points: { show: true, size: 6 },
  };
  const axis = { stroke: colour("--plot-ink"), grid: { stroke: colour("--plot-grid"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    cursor: { y: false },
    legend: { show: evaluated, live: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high * 1.05] } },
    axes: [
      { ...axis, label: "step", labelSize: 22, labelFont: FONT, font: FONT, size: 34, incrs: STEPS },
      { ...axis, font: FONT, size: 52 },
    ],
    series: [
      { label: "step" },
      { label: "training loss", stroke: colour("--plot-line"), fill: colour("--plot-fill"), width: 2, points: { show: false } },
      ...(evaluated ? [evaluation] : []),
    ],
  };
}
