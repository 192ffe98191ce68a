import { removeModel } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { onlyName } from "../model.ts";
import { printOut } from "../output/stdout.ts";

export const rm = defineCommand({
  name: "rm",
  summary: "remove a model that pull brought, and print its path",
  usage: "NAME",
  options: {},
  details: "A model in another program's cache stays: that program removes it.",
  async run({ positionals }) {
    const { path } = await removeModel(onlyName(positionals));
    await printOut(`${path}\n`);
  },
});
