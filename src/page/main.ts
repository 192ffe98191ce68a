import { Api, ApiError } from "./api.ts";
import { choiceOf, count, counted, find, make } from "./dom.ts";
import { HeatMap } from "./heat-map.ts";
import { askKey } from "./key.ts";
import { showNeighbours } from "./neighbours.ts";
import { project } from "./pca.ts";
import { Scatter } from "./scatter.ts";
import { type IndexInfo, Search } from "./search.ts";
import { SAMPLE, type Separator, shorten, splitTexts } from "./texts.ts";
import { followTheme } from "./theme.ts";
import { Tokens } from "./tokens.ts";
import { cosines, decodeVector, type Matrix } from "./vectors.ts";

/** Long enough that a word is typed to its end. */
const TYPING_MS = 350;

interface Model {
  readonly id: string;
  readonly architecture: string;
  readonly context_length: number;
  readonly dimensions: number;
  readonly weight_type: string;
  readonly tasks: readonly string[];
}

interface Info {
  readonly version: string;
  readonly models: readonly Model[];
  readonly index: IndexInfo | null;
}

interface Embeddings {
  readonly data: readonly { readonly embedding: string }[];
  readonly usage: { readonly prompt_tokens: number };
}

interface Shown {
  readonly texts: readonly string[];
  readonly matrix: Matrix;
}

const api = new Api(askKey);
const heatMap = new HeatMap(choose);
const scatter = new Scatter(choose);
const tokens = new Tokens(api);
const search = new Search(api);
const typed = find("texts", HTMLTextAreaElement);
const models = find("model", HTMLSelectElement);
const tasks = find("task", HTMLSelectElement);
const chosen = find("chosen", HTMLSelectElement);
const notice = find("notice", HTMLElement);
const problem = find("problem", HTMLElement);
const separator = choiceOf(find("separator", HTMLFieldSetElement), (value) => {
  const isLines = value === "lines";
  const layout = isLines ? "one a line" : "empty lines between them";
  typed.placeholder = `Type or paste texts, ${layout}.`;
  find("hint", HTMLElement).textContent = isLines
    ? "Empty lines are left out."
    : "Empty lines divide texts.";
  void embed();
});

let info: Info | undefined;
let shown: Shown = { texts: [], matrix: { size: 0, values: new Float64Array() } };
let request = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Embeds what is typed; what was on its way before is cancelled. */
async function embed(): Promise<void> {
  clearTimeout(timer);
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const { texts, total } = splitTexts(typed.value, separator() as Separator);
  tell(notice, total > texts.length ? capped(texts.length, total) : "");
  tell(problem, "");
  if (texts.length === 0) {
    clear();
    return;
  }
  document.body.classList.add("busy");
  try {
    await loadInfo();
    if (signal.aborted) return;
    await run(texts, signal);
  } catch (error) {
    if (signal.aborted) return;
    tell(problem, error instanceof ApiError ? error.message : String(error));
  } finally {
    if (!signal.aborted) document.body.classList.remove("busy");
  }
}

async function run(texts: readonly string[], signal: AbortSignal): Promise<void> {
  const body = {
    input: texts,
    model: models.value,
    encoding_format: "base64",
    ...(tasks.value === "" ? {} : { task: tasks.value }),
  };
  const ask = (truncate: string) =>
    api.post<Embeddings>("v1/embeddings", { ...body, truncate }, signal);
  let start = performance.now();
  const answer = await ask("error").catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.code !== "input_too_long") throw error;
    const read = current()?.context_length ?? 0;
    const told = `The model reads ${counted(read, "token")} of a text: what is longer was cut.`;
    tell(notice, [notice.textContent, told].join(" ").trim());
    start = performance.now();
    return ask("end");
  });
  const ms = performance.now() - start;
  show(
    texts,
    answer.data.map(({ embedding }) => decodeVector(embedding)),
  );
  showFigures(texts.length, answer.usage.prompt_tokens, ms);
}

function show(texts: readonly string[], vectors: readonly Float32Array[]): void {
  const index = Math.max(0, texts.indexOf(shown.texts[chosen.selectedIndex] ?? ""));
  const matrix = cosines(vectors);
  shown = { texts, matrix };
  chosen.replaceChildren(
    ...texts.map((text, i) => make("option", { value: `${i}` }, `${i + 1} · ${shorten(text, 90)}`)),
  );
  find("empty", HTMLElement).hidden = true;
  find("views", HTMLElement).hidden = false;
  find("figure-dimensions", HTMLElement).textContent = count(vectors[0]!.length);
  heatMap.show(matrix, texts);
  scatter.show(project(vectors), matrix, texts);
  choose(index);
}

function showFigures(texts: number, tokenCount: number, ms: number): void {
  const set = (name: string, value: string) => {
    find(`figure-${name}`, HTMLElement).textContent = value;
  };
  const time = ms < 100 ? `${ms.toFixed(1)} ms` : `${count(Math.round(ms))} ms`;
  set("texts", count(texts));
  set("tokens", count(tokenCount));
  set("time", time);
  set("speed", count(Math.round((tokenCount / ms) * 1000)));
  const status = `${counted(texts, "text")}, ${counted(tokenCount, "token")}, in ${time}`;
  find("status", HTMLElement).textContent = status;
}

function choose(index: number): void {
  const { texts, matrix } = shown;
  chosen.selectedIndex = index;
  heatMap.choose(index);
  scatter.choose(index);
  showNeighbours(matrix, texts, index);
  const model = current();
  if (model !== undefined) void tokens.show(texts[index]!, model.id, model.context_length);
}

function clear(): void {
  document.body.classList.remove("busy");
  find("views", HTMLElement).hidden = true;
  find("empty", HTMLElement).hidden = false;
  find("status", HTMLElement).textContent = "";
  for (const value of document.querySelectorAll(".figures dd")) value.textContent = "–";
}

function capped(kept: number, total: number): string {
  return `The first ${count(kept)} of ${counted(total, "text")} are shown: more fit on no screen.`;
}

function tell(place: HTMLElement, message: string): void {
  place.textContent = message;
  place.hidden = message === "";
}

/** What runs here; asked once. */
async function loadInfo(): Promise<void> {
  if (info !== undefined) return;
  info = await api.get<Info>("info");
  find("forget", HTMLElement).hidden = !api.hasKey;
  models.replaceChildren(...info.models.map(({ id }) => make("option", { value: id }, id)));
  find("model-field", HTMLElement).hidden = info.models.length < 2;
  showModel();
  search.show(info.index);
}

function current(): Model | undefined {
  return info?.models.find(({ id }) => id === models.value);
}

function showModel(): void {
  const model = current();
  if (info === undefined || model === undefined) return;
  const facts = [model.id, model.weight_type, `${count(model.dimensions)} dimensions`];
  const context = `up to ${counted(model.context_length, "token")}`;
  find("about", HTMLElement).textContent = [...facts, context, `version ${info.version}`].join(
    " · ",
  );
  const names = model.tasks.map((task) => make("option", { value: task }, task));
  tasks.replaceChildren(make("option", { value: "" }, "none"), ...names);
  find("task-field", HTMLElement).hidden = model.tasks.length === 0;
}

typed.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => void embed(), TYPING_MS);
});
typed.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void embed();
});
find("input", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void embed();
});
find("sample", HTMLButtonElement).addEventListener("click", () => {
  typed.value = SAMPLE;
  void embed();
});
find("forget", HTMLButtonElement).addEventListener("click", (event) => {
  api.forgetKey();
  (event.currentTarget as HTMLElement).hidden = true;
});
models.addEventListener("change", () => {
  showModel();
  void embed();
});
tasks.addEventListener("change", () => void embed());
chosen.addEventListener("change", () => choose(chosen.selectedIndex));
followTheme(() => heatMap.repaint());
loadInfo().then(
  () => embed(),
  (error: unknown) => tell(problem, error instanceof ApiError ? error.message : String(error)),
);
