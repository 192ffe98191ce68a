import type { Command } from "./command.ts";
import { convert } from "./commands/convert.ts";
import { doctor } from "./commands/doctor.ts";
import { embed } from "./commands/embed.ts";
import { enqueue } from "./commands/enqueue.ts";
import { index } from "./commands/index-documents.ts";
import { inspect } from "./commands/inspect.ts";
import { list } from "./commands/list.ts";
import { pull } from "./commands/pull.ts";
import { quantize } from "./commands/quantize.ts";
import { queue } from "./commands/queue.ts";
import { rerank } from "./commands/rerank.ts";
import { rm } from "./commands/rm.ts";
import { search } from "./commands/search.ts";
import { serve } from "./commands/serve.ts";
import { tokenize } from "./commands/tokenize.ts";
import { verify } from "./commands/verify.ts";
import { worker } from "./commands/worker.ts";

/** Every command, in the order of the help. A new one is a file and a line here. */
export const COMMANDS: readonly Command[] = [
  embed,
  index,
  search,
  rerank,
  serve,
  enqueue,
  worker,
  queue,
  tokenize,
  inspect,
  verify,
  convert,
  quantize,
  pull,
  list,
  rm,
  doctor,
];
