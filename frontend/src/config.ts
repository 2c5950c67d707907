/** What the deployer wrote into `/config.json`. */
export interface Config {
  canisters: { marketplace: string; vault: string; ledger: string };
  identityProvider: string;
  /** Hexadecimal DER; absent where the network is the Internet Computer itself. */
  rootKey?: string;
}

const MAINNET_API = "https://icp-api.io";

export async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`the page's configuration is missing (${response.status})`);
  return (await response.json()) as Config;
}

/** Where calls go: a local gateway answers them on the page's own host. */
export function apiHost(config: Config): string {
  return config.rootKey === undefined ? MAINNET_API : location.origin;
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
