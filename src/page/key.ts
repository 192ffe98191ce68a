import { find } from "./dom.ts";

/** Asks for a key in a dialog; undefined where it is left. */
export function askKey(isWrong: boolean): Promise<string | undefined> {
  const dialog = find("key-dialog", HTMLDialogElement);
  const form = find("key-form", HTMLFormElement);
  const input = find("key", HTMLInputElement);
  find("key-wrong", HTMLElement).hidden = !isWrong;
  input.value = "";
  let key: string | undefined;
  form.onsubmit = (event) => {
    event.preventDefault();
    key = input.value.trim();
    dialog.close();
  };
  find("key-cancel", HTMLButtonElement).onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      input.value = "";
      resolve(key);
    };
  });
}
