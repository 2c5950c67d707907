import type { Token } from "./market";

const MS_PER_NS = 1_000_000n;

/** An amount in the token's base unit, as people write it. */
export function tokens(amount: bigint, token: Token): string {
  const digits = amount.toString().padStart(token.decimals + 1, "0");
  const whole = BigInt(digits.slice(0, -token.decimals || undefined)).toLocaleString("en");
  const rest = token.decimals ? digits.slice(-token.decimals).replace(/0+$/, "") : "";
  return `${whole}${rest ? `.${rest}` : ""} ${token.symbol}`;
}

export function dateOf(nanoseconds: bigint): Date {
  return new Date(Number(nanoseconds / MS_PER_NS));
}

export function moment(nanoseconds: bigint): string {
  return dateOf(nanoseconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function clock(nanoseconds: bigint): string {
  return dateOf(nanoseconds).toLocaleTimeString(undefined, { timeStyle: "medium" });
}

/** Seconds as `2 h 5 min`, with at most two units. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [size, name] of units) {
    if (rest >= size && parts.length < 2) {
      parts.push(`${Math.floor(rest / size)} ${name}`);
      rest %= size;
    }
  }
  return parts.join(" ") || "0 s";
}

export function bytes(count: bigint): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The two ends of something long. */
export function short(text: string, head = 10, tail = 5): string {
  return text.length > head + tail + 1 ? `${text.slice(0, head)}…${text.slice(-tail)}` : text;
}

/** A sentence with its long hashes shortened. */
export function shortWords(text: string): string {
  return text.replace(/\S{33,}/g, (word) => short(word, 20, 6));
}

export function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function words(kind: string): string {
  return kind.replaceAll("_", " ");
}
