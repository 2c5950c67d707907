export type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | boolean | ((event: never) => void) | undefined>;

/** An element with attributes (functions are listeners of their `on…` event) and children. Texts stay texts. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Child | Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...shown(children.flat()));
  return element;
}

export function shown(children: Child[]): (Node | string)[] {
  return children
    .filter((child): child is Node | string | number => child !== null && child !== undefined && child !== false)
    .map((child) => (typeof child === "number" ? String(child) : child));
}

/** A row of a description list. */
export function fact(name: string, ...value: (Child | Child[])[]): HTMLElement {
  return h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, ...value));
}
