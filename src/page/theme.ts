import { choiceOf, find } from "./dom.ts";

const STORED = "ggufembed-theme";

/** Light, dark or as the system has it; remembered where the browser lets us. */
export function followTheme(onChange: () => void): void {
  const group = find("theme", HTMLFieldSetElement);
  const stored = localStorage.getItem(STORED) ?? "system";
  const button = group.querySelector<HTMLInputElement>(`[value="${CSS.escape(stored)}"]`);
  if (button !== null) button.checked = true;
  const value = choiceOf(group, (theme) => {
    localStorage.setItem(STORED, theme);
    apply(theme);
    onChange();
  });
  apply(value());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}

function apply(theme: string): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
