import {
  QUANTIZE_TYPES,
  type QuantizedTensor,
  type QuantizeReport,
  quantize as quantizeFile,
} from "../../index.ts";
import { columns, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { printOut } from "../output/stdout.ts";
import { complain } from "../terminal.ts";
import { requireWeightType, WEIGHT_TYPES, weightOptions } from "../weight-types.ts";
import { withWriteBar } from "../write-bar.ts";

export const quantize = defineCommand({
  name: "quantize",
  summary: "write a model file with its weights in another format",
  usage: "IN OUT --type T",
  options: {
    ...weightOptions,
    requantize: { type: "flag", help: "even from a file that is quantised, with more error" },
  },
  details: `
${WEIGHT_TYPES}

Norms, biases and small tables stay as they are. OUT appears once it is complete. Of a split model
IN is any shard; OUT is one file.`,
  async run({ values, positionals }) {
    const [input, output, ...more] = positionals;
    if (input === undefined || output === undefined || more.length > 0) {
      throw new UsageError(`takes IN and OUT, two files, found ${positionals.length}`);
    }
    const type = requireWeightType(values.type);
    if (type === undefined) {
      throw new UsageError(`which format? give --type, one of ${QUANTIZE_TYPES.join(", ")}`);
    }
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
