/**
 * Long texts for tokenizers: English, Chinese and code of so many bytes, the same for the same
 * seed. Made by rules, so that they are nobody's. Many words are rare, as in what people write: a
 * tokenizer that remembers words must not know them all after one text.
 */
import { randomNumbers } from "./random.ts";
import { makeTexts } from "./texts.ts";

export const LANGUAGES = ["English", "Chinese", "code"] as const;
export type Language = (typeof LANGUAGES)[number];

interface Dice {
  pick<T>(from: ArrayLike<T>): T;
  /** Whether it falls so, which it does in `share` of all cases. */
  chance(share: number): boolean;
  /** From 0 to `end` - 1. */
  below(end: number): number;
}

function makeDice(seed: number): Dice {
  const random = randomNumbers(seed);
  const below = (end: number) => random() % end;
  return {
    below,
    pick: (from) => from[below(from.length)]!,
    chance: (share) => random() < share * 2 ** 32,
  };
}

const PARTS: Readonly<Record<Language, (dice: Dice) => string>> = {
  English: makeParagraph,
  Chinese: makeSentence,
  code: makeFunction,
};

/** A text of at most `bytes` bytes of UTF-8, and at most one of its parts shorter. */
export function makeLongText(language: Language, bytes: number, seed: number): string {
  const dice = makeDice(seed);
  const makePart = PARTS[language];
  let text = "";
  for (let length = 0; ; ) {
    const part = makePart(dice);
    length += Buffer.byteLength(part);
    if (length > bytes) return text;
    text += part;
  }
}

const PREFIXES = "un re over under inter non pre sub super counter".split(" ");
const SUFFIXES = "s ing ed er ness like less ful ly ment ship able ward ism".split(" ");
const SYLLABLES = "ka mer ton bel vi rosh dan el for ni gar sta wyn o lu tes ham brid ei ros".split(
  " ",
);
const DERIVED_SHARE = 0.2;
const NAME_SHARE = 0.05;
const NUMBER_SHARE = 0.02;

function makeParagraph(dice: Dice): string {
  const [text = ""] = makeTexts(1, 20 + dice.below(60), 1 + dice.below(2 ** 31));
  const words = text.split(" ").map((word) => {
    if (dice.chance(NUMBER_SHARE)) return String(dice.below(3000));
    if (dice.chance(NAME_SHARE)) return makeName(dice);
    return dice.chance(DERIVED_SHARE) ? derive(word, dice) : word;
  });
  return `${words.join(" ").replace(/[,;.]?$/, ".")}\n\n`;
}

function derive(word: string, dice: Dice): string {
  const [, stem = "", mark = ""] = /^(\w*)(\W*)$/.exec(word) ?? [];
  const prefix = dice.chance(0.3) ? dice.pick(PREFIXES) : "";
  return `${prefix}${stem}${dice.pick(SUFFIXES)}${mark}`;
}

function makeName(dice: Dice): string {
  const name = Array.from({ length: 2 + dice.below(3) }, () => dice.pick(SYLLABLES)).join("");
  return name.replace(/^./, (letter) => letter.toUpperCase());
}

const TIMES = "今天 昨天 去年 早上 晚上 春天 最近 后来 当时 周末".split(" ");
const PEOPLE = `老师 学生 医生 工程师 农民 记者 孩子 朋友 邻居 作家 司机 科学家 他们 我们 母亲
   研究人员`.split(/\s+/);
const PLACES = "北京 学校 图书馆 医院 河边 车站 公园 办公室 山里 城市 村子 市场 海边 家里".split(
  " ",
);
const ACTIONS = `发现 讨论 介绍 准备 完成 检查 记录 改变 购买 修理 学习 解释 比较 观察
   保护`.split(/\s+/);
const THINGS = `问题 计划 方法 语言 历史 音乐 机器 天气 数据 模型 文章 房子 道路 电影 故事 科学
   经济 文化 新闻 植物`.split(/\s+/);
const LINKS = ["，因为", "，所以", "，但是", "，而且", "，同时"];
/** Two of them make a word that nobody uses, and that somebody might. */
const CHARACTERS =
  "天地人山水火土木金石田禾竹马牛羊鸟鱼虫草花果叶风云雨雪电光声色香味手足口耳目心力刀弓车舟" +
  "门户衣食住行走飞来去入出上下左右前后大小多少长短高低远近新旧古今年月日时春夏秋冬东西南北" +
  "国家民族文字书画诗歌言语思想情意知识学习教育工农商业交通医药法律政治军事历史地理数理化生";

function makeSentence(dice: Dice): string {
  const word = () => dice.pick(CHARACTERS) + dice.pick(CHARACTERS);
  const or = (words: readonly string[]) => (dice.chance(0.4) ? word() : dice.pick(words));
  const clause = () =>
    `${or(PEOPLE)}在${or(PLACES)}${dice.pick(ACTIONS)}了${word()}的${or(THINGS)}`;
  const rest = dice.chance(0.5) ? "" : `${dice.pick(LINKS)}${clause()}`;
  return `${dice.pick(TIMES)}，${clause()}${rest}。${dice.chance(0.15) ? "\n" : ""}`;
}

const VERBS = "read write find count merge parse format update remove check".split(" ");
const SUBJECTS = "Row Token Buffer Index Header Batch Vector Path Entry Message".split(" ");
const DETAILS = "Last First Max Raw Packed Sorted Hidden Local Shared Next".split(" ");
const TYPES = ["number", "string", "boolean", "readonly number[]", "Map<string, number>"];
const OPERATORS = ["+", "-", "*", "%", "&", "<<", "<", ">", "===", "!=="];

const verbOf = (dice: Dice) => dice.pick(VERBS) + dice.pick(DETAILS) + dice.pick(SUBJECTS);
const nounOf = (dice: Dice) => dice.pick(SUBJECTS).toLowerCase() + dice.pick(DETAILS);

function makeFunction(dice: Dice): string {
  const [a, b] = [nounOf(dice), nounOf(dice)];
  const lines = Array.from({ length: 2 + dice.below(5) }, () => makeStatement(dice, a, b));
  const [told = ""] = makeTexts(1, 8, 1 + dice.below(2 ** 31));
  const comment = dice.chance(0.3) ? `/** ${told} */\n` : "";
  const fields = `${a}: ${dice.pick(TYPES)}, ${b}: ${dice.pick(TYPES)}`;
  return `${comment}function ${verbOf(dice)}(${fields}) {\n${lines.join("")}  return ${a};\n}\n\n`;
}

function makeStatement(dice: Dice, a: string, b: string): string {
  const number = dice.chance(0.5) ? `${dice.below(256)}` : `0x${dice.below(65_536).toString(16)}`;
  const sum = `${a} ${dice.pick(OPERATORS)} ${dice.pick([b, number])}`;
  switch (dice.below(5)) {
    case 0:
      return `  const ${nounOf(dice)} = ${verbOf(dice)}(${sum});\n`;
    case 1:
      return `  if (${sum}) {\n    return ${b}[${number}];\n  }\n`;
    case 2:
      return `  for (let i = 0; i < ${b}.length; i++) ${a} += ${b}[i] * ${number};\n`;
    case 3:
      return `  throw new RangeError(\`${nounOf(dice)} \${${a}}: ${verbOf(dice)} failed\`);\n`;
    default:
      return `\t${a} = ${sum}; // ${dice.pick(VERBS)} the ${nounOf(dice)}\n`;
  }
}
