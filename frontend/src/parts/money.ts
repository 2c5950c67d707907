import type { Rental } from "../bindings/marketplace";
import { fact, h } from "../dom";
import { duration, tokens } from "../format";
import type { Token } from "../market";

/** What the rental costs at most, and what it did cost once it is over. */
export function money(rental: Rental, token: Token): HTMLElement {
  const { price, charges } = rental;
  const rows: [string, bigint, bigint | undefined][] = [
    ["Listing fee", price.listing_fee, charges?.listing_fee],
    ["Dataset fees", price.dataset_fees, charges?.dataset_fees],
    ["Compute", price.compute_max, charges?.compute],
    ["Platform", price.platform_max, charges?.platform],
  ];
  const head = ["", "At most", ...(charges ? ["Charged"] : [])].map((name) => h("th", { scope: "col" }, name));
  const line = ([name, most, charged]: [string, bigint, bigint | undefined]) =>
    h("tr", {}, h("th", { scope: "row" }, name), cell(most, token), charged !== undefined && cell(charged, token));
  const spent = charges && charges.listing_fee + charges.dataset_fees + charges.compute + charges.platform;
  return h(
    "section",
    { class: "card", "aria-labelledby": "money" },
    h("h2", { id: "money" }, "Money"),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Price" },
      h(
        "table",
        { class: "money" },
        h("thead", {}, h("tr", {}, head)),
        h("tbody", {}, rows.map(line)),
        h("tfoot", {}, line(["Total", price.total_max, spent])),
      ),
    ),
    h(
      "dl",
      { class: "facts" },
      fact("In escrow", tokens(rental.escrow, token)),
      charges && fact("Refunded", tokens(charges.refund, token)),
      fact("Compute used", `${duration(Number(rental.seconds_used))} of ${duration(Number(rental.max_duration_s))}`),
    ),
  );
}

function cell(amount: bigint, token: Token): HTMLElement {
  return h("td", { class: "number" }, tokens(amount, token));
}
