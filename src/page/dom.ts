/** The element with this id, of the kind that is expected. Throws where the page lacks it. */
export function find<T extends Element>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} called ${id}`);
}

/** A new element. Strings become text and never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function makeSvg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.append(...children);
  return element;
}

/** A text of the user's, which must not change the direction of what is around it. */
export function quote(text: string): HTMLElement {
  return make("bdi", { dir: "auto" }, text);
}

/** A cosine as it is, shown with three digits. */
export function figure(value: number): HTMLDataElement {
  return make("data", { value: `${value}` }, formatNumber(value, 3));
}

/** With a minus as wide as a digit, and none before what rounds to 0. */
export function formatNumber(value: number, digits: number): string {
  const fixed = value.toFixed(digits);
  return Number(fixed) < 0 ? fixed.replace("-", "−") : fixed.replace("-", "");
}

const NUMBERS = new Intl.NumberFormat("en");
export const count = (value: number): string => NUMBERS.format(value);

/** `1 text`, `2 texts`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Which radio button of a group is set; and tells when another is. */
export function choiceOf(group: HTMLElement, onChange: (value: string) => void): () => string {
  group.addEventListener("change", () => onChange(value()));
  const value = () => group.querySelector<HTMLInputElement>(":checked")?.value ?? "";
  return value;
}
