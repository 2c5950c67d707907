import { AuthClient } from "@icp-sdk/auth/client";
import { AnonymousIdentity, type Identity } from "@icp-sdk/core/agent";

const EIGHT_HOURS_NS = 8n * 3_600_000_000_000n;
const IDLE_MS = 60 * 60 * 1000;

/** Who uses the page: nobody, or a person signed in with Internet Identity. */
export class Session {
  identity: Identity = new AnonymousIdentity();
  readonly #client: AuthClient;

  constructor(identityProvider: string) {
    this.#client = new AuthClient({
      identityProvider,
      windowOpenerFeatures: "width=480,height=680,left=200,top=80",
      idleOptions: { idleTimeout: IDLE_MS },
    });
  }

  get signedIn(): boolean {
    return !this.identity.getPrincipal().isAnonymous();
  }

  get principal(): string {
    return this.identity.getPrincipal().toText();
  }

  /** Take up the session of an earlier visit, if it has not ended. */
  async restore(): Promise<void> {
    if (this.#client.isAuthenticated()) this.identity = await this.#client.getIdentity();
  }

  /** Ask for a sign-in; must be called while a click is handled, or the browser keeps the window closed. */
  async signIn(): Promise<void> {
    this.identity = await this.#client.signIn({ maxTimeToLive: EIGHT_HOURS_NS });
  }

  async signOut(): Promise<void> {
    await this.#client.signOut();
    this.identity = new AnonymousIdentity();
  }
}
