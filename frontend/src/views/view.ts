import type { Market, Token } from "../market";
import type { Session } from "../session";

/** What views are given. */
export interface Context {
  market: Market;
  session: Session;
  token: Token;
  signIn: () => void;
}

/** One page: an element, renewed by `refresh` every `interval` milliseconds until `leave`. */
export interface View {
  readonly title: string;
  readonly element: HTMLElement;
  refresh(): Promise<void>;
  /** Milliseconds until the next refresh; undefined: never. */
  interval(): number | undefined;
  leave?(): void;
}
