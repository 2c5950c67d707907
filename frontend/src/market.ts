import { HttpAgent, type Identity } from "@icp-sdk/core/agent";
import { createActor as createLedger } from "./bindings/ledger";
import {
  createActor as createMarketplace,
  type Error_,
  type Event,
  type Listing,
  type Marketplace,
  type Offer,
  type ProgressPoint,
  type Rental,
  type Status,
} from "./bindings/marketplace";
import { apiHost, bytesOf, type Config } from "./config";

const PAGE = 100;

export interface Token {
  symbol: string;
  decimals: number;
}

/** The marketplace as one person sees it. */
export class Market {
  readonly #marketplace: Marketplace;
  readonly #agent: HttpAgent;
  readonly #ledgerId: string;

  constructor(config: Config, identity: Identity) {
    const rootKey = config.rootKey === undefined ? undefined : bytesOf(config.rootKey);
    this.#agent = HttpAgent.createSync({ host: apiHost(config), identity, rootKey });
    this.#marketplace = createMarketplace(config.canisters.marketplace, { agent: this.#agent });
    this.#ledgerId = config.canisters.ledger;
  }

  async token(): Promise<Token> {
    const ledger = createLedger(this.#ledgerId, { agent: this.#agent });
    const [symbol, decimals] = await Promise.all([ledger.icrc1_symbol(), ledger.icrc1_decimals()]);
    return { symbol, decimals };
  }

  status(): Promise<Status> {
    return this.#marketplace.status();
  }

  listings(): Promise<Listing[]> {
    return allPages((after: string | null) => this.#marketplace.listings(after, PAGE), (listing) => listing.id);
  }

  offers(): Promise<Offer[]> {
    return allPages((after: bigint | null) => this.#marketplace.offers(after, PAGE), (offer) => offer.id);
  }

  async rentals(): Promise<Rental[]> {
    const next = (after: bigint | null) => this.#marketplace.my_rentals(after, PAGE);
    return (await allPages(next, (rental) => rental.id)).reverse();
  }

  async rental(id: bigint): Promise<Rental> {
    return ok(await this.#marketplace.get_rental(id));
  }

  async listing(id: string): Promise<Listing> {
    return ok(await this.#marketplace.get_listing(id));
  }

  /** Events from number `first` on. */
  async events(rental: bigint, first: number): Promise<Event[]> {
    return fromIndex(first, async (at) => ok(await this.#marketplace.rental_events(rental, BigInt(at), PAGE)));
  }

  /** Progress from point `first` on. */
  async progress(rental: bigint, first: number): Promise<ProgressPoint[]> {
    return fromIndex(first, async (at) => ok(await this.#marketplace.rental_progress(rental, at, 1000)));
  }
}

/** The marketplace said no; the message is for people. */
export class Refused extends Error {
  constructor(readonly error: Error_) {
    super(explain(error));
  }
}

function ok<T>(result: { __kind__: "Ok"; Ok: T } | { __kind__: "Err"; Err: Error_ }): T {
  if (result.__kind__ === "Err") throw new Refused(result.Err);
  return result.Ok;
}

function explain(error: Error_): string {
  switch (error.__kind__) {
    case "NotFound":
      return `There is no ${error.NotFound.kind} ${error.NotFound.id}, or it is not yours.`;
    case "NotAuthorized":
      return `Only ${error.NotAuthorized.required} may see this.`;
    default:
      return `The marketplace answered ${error.__kind__}.`;
  }
}

async function allPages<T, K>(page: (after: K | null) => Promise<T[]>, key: (item: T) => K): Promise<T[]> {
  const found: T[] = [];
  let last: K | null = null;
  for (;;) {
    const items: T[] = await page(last);
    found.push(...items);
    const end = items.at(-1);
    if (end === undefined || items.length < PAGE) return found;
    last = key(end);
  }
}

async function fromIndex<T>(first: number, page: (at: number) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const items = await page(first + found.length);
    if (items.length === 0) return found;
    found.push(...items);
  }
}
