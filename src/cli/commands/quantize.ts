import {
  QUANTIZE_TYPES,
  type QuantizedTensor,
  type QuantizeReport,
  type QuantizeType,
  quantize as quantizeFile,
} from "../../index.ts";
import { columns, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { printOut } from "../output/stdout.ts";
import { didYouMean } from "../suggest.ts";
import { complain } from "../terminal.ts";
import { withWriteBar } from "../write-bar.ts";

export const quantize = defineCommand({
  name: "quantize",
  summary: "write a model file with its weights in another format",
  usage: "IN OUT --type T",
  options: {
    type: { type: "text", value: "T", help: "what most matrices become" },
    pure: { type: "flag", help: "what all become: none gets more bits than the others" },
    requantize: { type: "flag", help: "even from a file that is quantised, with more error" },
    threads: {
      type: "count",
      value: "N",
      help: "worker threads (default: the cores this process may use)",
    },
  },
  details: `
T is one of
  F32, F16, BF16                  floats
  Q8_0                            8 bits: hardly any error
  Q6_K, Q5_K, Q4_K, Q3_K, Q2_K    6 to 2 bits in blocks of 256; Q5_K_S, Q4_K_S, Q3_K_S have fewer
                                  matrices with more bits, Q3_K_L more
  Q5_1, Q5_0, Q4_1, Q4_0          5 and 4 bits in blocks of 32
  IQ4_NL, IQ4_XS                  4 bits, denser near zero, in blocks of 32 and 256

As with llama.cpp's tool, the vocabulary gets 6 bits at least, and rows that are not made of blocks
of 256 get a format with blocks of 32. Norms, biases and small tables stay as they are. OUT appears
once it is complete. Of a split model IN is any shard; OUT is one file.`,
  async run({ values, positionals }) {
    const [input, output, ...more] = positionals;
    if (input === undefined || output === undefined || more.length > 0) {
      throw new UsageError(`takes IN and OUT, two files, found ${positionals.length}`);
    }
    const type = requireType(values.type);
    const report = await withWriteBar("quantizing", (progress) =>
      quantizeFile(input, output, {
        type,
        pure: values.pure,
        requantize: values.requantize,
        threads: values.threads,
        ...progress,
      }),
    );
    if (values.requantize && report.tensors.some(isRequantized)) {
      complain("warning: weights that were quantised before have both errors now");
    }
    await printOut(describe(report));
  },
});

function requireType(type: string | undefined): QuantizeType {
  const known = QUANTIZE_TYPES.join(", ");
  if (type === undefined) throw new UsageError(`which format? give --type, one of ${known}`);
  const found = QUANTIZE_TYPES.find((name) => name === type.toUpperCase());
  if (found !== undefined) return found;
  const guess = didYouMean(type.toUpperCase(), QUANTIZE_TYPES);
  throw new UsageError(`option '--type' takes one of ${known}, found '${type}'${guess}`);
}

const FLOATS = new Set(["F32", "F16", "BF16"]);

function isRequantized({ from, to }: QuantizedTensor): boolean {
  return from !== to && !FLOATS.has(from);
}

/** What became of which tensors, a kind of change on each line. */
function describe({ sourceBytes, bytes, tensors }: QuantizeReport): string {
  const changes = Map.groupBy(tensors, ({ from, to, shape, instead }) => {
    const reason = `${shape[0]} columns are not made of blocks of ${instead}`;
    const why = instead === null ? "" : `: ${reason}`;
    return `${from === to ? `${from}, as before` : `${from} to ${to}`}${why}`;
  });
  const rows = [...changes].map(([change, some]) => [counted(some.length), change] as const);
  const megabytes = (n: number) => `${(n / 1e6).toFixed(1)} MB`;
  return `${columns([...rows, [megabytes(bytes), `instead of ${megabytes(sourceBytes)}`]])}`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? "tensor" : "tensors"}`;
}
