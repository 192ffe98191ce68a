import { pull as pullModel } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { withDownloadBar } from "../download-bar.ts";
import { onlyName } from "../model.ts";
import { printOut } from "../output/stdout.ts";

export const pull = defineCommand({
  name: "pull",
  summary: "bring a model to this machine, and print its path",
  usage: "NAME",
  options: {},
  details: `
NAME is one of
  embeddinggemma-300m             an alias; any other word lists them
  ORG/REPO, ORG/REPO:Q8_0         a repository of the Hugging Face hub; of its files the one that is
                                  named for Q8_0, or else F16, BF16, F32, Q6_K and so on down to
                                  Q2_K, or else the only one
  hf:ORG/REPO/FILE.gguf           one file; @REVISION may follow REPO
  https://…/FILE.gguf             any address
  ollama:NAME:TAG                 what Ollama has pulled

Any file of a split model (FILE-00001-of-00003.gguf) means all of them: they are brought, and the
path of the first is printed. A model that is here is compared with the hub's, and replaced if it
changed. A download that was broken off goes on where it stopped. What Hugging Face, llama.cpp or
Ollama have is not downloaded.
HF_TOKEN opens gated models. With GGUFEMBED_OFFLINE=1 nothing is downloaded.`,
  async run({ positionals }) {
    const name = onlyName(positionals);
    const { path } = await withDownloadBar((options) => pullModel(name, options));
    await printOut(`${path}\n`);
  },
});
