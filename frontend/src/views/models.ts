import type { Listing, Offer } from "../bindings/marketplace";
import { fact, h } from "../dom";
import { bytes, duration, moment, short, tokens } from "../format";
import { simulatedMark } from "../parts/badges";
import type { Context, View } from "./view";

const REFRESH_MS = 15_000;

/** The models on offer, and the machines that fine-tune them. */
export class ModelsView implements View {
  readonly title = "Models";
  readonly element = h("div", {});
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async refresh(): Promise<void> {
    const [listings, offers] = await Promise.all([this.#context.market.listings(), this.#context.market.offers()]);
    this.element.replaceChildren(
      h(
        "section",
        { "aria-labelledby": "models" },
        h("h1", { id: "models" }, "Models on offer"),
        h("p", { class: "lead" }, "Sealed by their publishers; opened only inside a machine whose evidence the marketplace verified."),
        listings.length > 0
          ? h("div", { class: "cards" }, listings.map((listing) => this.#model(listing)))
          : empty("No model is listed yet."),
      ),
      h(
        "section",
        { "aria-labelledby": "machines" },
        h("h2", { id: "machines" }, "Machines"),
        offers.length > 0
          ? h("div", { class: "cards" }, offers.map((offer) => this.#machine(offer)))
          : empty("No operator offers a machine yet."),
      ),
    );
  }

  interval(): number {
    return REFRESH_MS;
  }

  #model(listing: Listing): HTMLElement {
    return h(
      "article",
      { class: "card" },
      h("h3", {}, listing.title),
      h("p", { class: "tags" }, listing.tasks.map((task) => h("span", { class: "tag" }, task))),
      listing.description && h("p", {}, listing.description),
      h(
        "dl",
        { class: "facts" },
        fact("Fee", h("strong", {}, tokens(listing.fee, this.#context.token)), " per rental"),
        listing.base_model && fact("Base model", listing.base_model),
        fact("Sealed size", bytes(listing.artifact.size)),
        fact("Publisher", principal(listing.publisher.toText())),
        fact("Listed", moment(listing.created_at)),
      ),
    );
  }

  #machine(offer: Offer): HTMLElement {
    const rate = tokens(offer.rate_per_second, this.#context.token);
    return h(
      "article",
      { class: "card" },
      h("h3", {}, offer.title),
      h("p", { class: "tags" }, offer.policies.map((name) => (name === "simulated" ? simulatedMark() : h("span", { class: "tag" }, name)))),
      h("p", {}, offer.hardware),
      h(
        "dl",
        { class: "facts" },
        fact("Rate", h("strong", {}, rate), " per second"),
        fact("Longest job", duration(Number(offer.max_duration_s))),
        fact("Bond", `${offer.bond_basis_points / 100} % of the compute price`),
        fact("Operator", principal(offer.operator.toText())),
      ),
    );
  }
}

function principal(text: string): HTMLElement {
  return h("code", { title: text }, short(text));
}

export function empty(text: string): HTMLElement {
  return h("p", { class: "empty" }, text);
}
