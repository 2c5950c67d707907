import type { Rental } from "../bindings/marketplace";
import { h } from "../dom";
import { moment, tokens } from "../format";
import { badge, simulatedMark } from "../parts/badges";
import { countdown, OVER } from "../parts/phases";
import { empty } from "./models";
import type { Context, View } from "./view";

const ACTIVE_MS = 3_000;
const REFRESH_MS = 15_000;

/** The rentals of whoever is signed in. */
export class RentalsView implements View {
  readonly title = "My rentals";
  readonly element = h("div", {});
  readonly #context: Context;
  #active = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async refresh(): Promise<void> {
    const heading = h("h1", {}, "My rentals");
    if (!this.#context.session.signedIn) {
      this.element.replaceChildren(heading, signInFirst(this.#context));
      return;
    }
    const [rentals, listings] = await Promise.all([this.#context.market.rentals(), this.#context.market.listings()]);
    const titles = new Map(listings.map((listing) => [listing.id, listing.title]));
    this.#active = rentals.some((rental) => !OVER.includes(rental.status));
    this.element.replaceChildren(
      heading,
      rentals.length > 0
        ? h("ul", { class: "rows" }, rentals.map((rental) => this.#row(rental, titles.get(rental.listing))))
        : empty("You have no rentals yet. So far they are created on the command line; here you follow them."),
    );
  }

  interval(): number | undefined {
    if (!this.#context.session.signedIn) return undefined;
    return this.#active ? ACTIVE_MS : REFRESH_MS;
  }

  #row(rental: Rental, title: string | undefined): HTMLElement {
    const paid = rental.charges;
    const spent = paid && paid.listing_fee + paid.dataset_fees + paid.compute + paid.platform;
    const cost =
      spent === undefined
        ? `at most ${tokens(rental.price.total_max, this.#context.token)}`
        : tokens(spent, this.#context.token);
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#/rentals/${rental.id}`, class: "row-link" },
        h("span", { class: "number" }, `#${rental.id}`),
        h("strong", {}, title ?? "A model that is no longer listed"),
        h("span", { class: "marks" }, badge(rental.status), rental.attestation?.simulated && simulatedMark(), countdown(rental)),
        h("span", { class: "muted" }, moment(rental.created_at)),
        h("span", { class: "number" }, cost),
      ),
    );
  }
}

export function signInFirst(context: Context): HTMLElement {
  return h(
    "div",
    { class: "card centre" },
    h("p", {}, "Rentals are shown only to the one who rents."),
    h("button", { type: "button", onclick: context.signIn }, "Sign in with Internet Identity"),
  );
}
