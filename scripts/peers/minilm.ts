/** What runs MiniLM in float32: ONNX Runtime, and sentence-transformers on PyTorch. */
import { join } from "node:path";
import { fetchMiniLM } from "../minilm.ts";
import { CACHE, ROOT } from "../paths.ts";
import { runOrThrow } from "../process.ts";
import { type Installation, missingTools, type Peer } from "./peer.ts";
import { installPython, pythonOf } from "./python.ts";

const MAIN = [
  "torch==2.15.0",
  "onnxruntime==1.31.1",
  "sentence-transformers==6.2.0",
  "transformers==5.23.0",
  "onnx==1.23.2",
];
const LIBRARIES = `
  anyio==4.16.0 click==8.5.1 cloudpickle==3.1.2 filelock==4.2.11 fsspec==2026.9.0 h11==0.16.0
  httpcore2==2.16.2 httpx2==2.16.2 huggingface_hub==2.4.0 idna==3.20 Jinja2==3.1.6 joblib==1.6.0
  MarkupSafe==3.0.4 ml_dtypes==0.6.0 mpmath==1.3.0 narwhals==2.29.0 networkx==3.6.1 numpy==2.4.6
  packaging==26.3 protobuf==7.36.2 PyYAML==6.0.3 regex==2026.11.15 safetensors==0.8.0
  scikit-learn==1.9.1 scipy==1.17.1 sympy==1.14.0 threadpoolctl==3.8.0 tokenizers==0.23.3
  tqdm==4.70.1 truststore==0.10.5 typing_extensions==4.16.0`;
/** Nothing here runs on a GPU, but the package index's PyTorch for Linux does not load without. */
const CUDA = `
  nvidia-cublas==13.4.1.3 nvidia-cuda-cupti==13.2.86 nvidia-cuda-nvrtc==13.2.86
  nvidia-cuda-runtime==13.2.86 nvidia-cudnn-cu13==9.26.0.51 nvidia-cufft==12.2.0.57
  nvidia-cufile==1.17.1.22 nvidia-cusparse==12.7.10.12 nvidia-cusparselt-cu13==0.8.1
  nvidia-nccl-cu13==2.30.7 nvidia-nvjitlink==13.5.37 nvidia-nvshmem-cu13==3.7.2`;
/** To be raised when the exported graphs change. */
const EXPORT = 1;

const words = (list: string) => list.trim().split(/\s+/);

const installation: Installation = {
  id: "minilm-float32",
  recipe: `${MAIN.join(", ")}, export ${EXPORT}`,
  obstacle: () => missingTools(["python3"]),
  async install(folder, log) {
    const name = "PyTorch and ONNX Runtime";
    log(`${name}: some gigabytes`);
    const cuda = process.platform === "linux" ? words(CUDA) : [];
    const packages = [...MAIN, ...words(LIBRARIES), ...cuda];
    // PyTorch takes a gigabyte, and to compile its Python ahead of time as long as to fetch it.
    await installPython(folder, name, [{ packages, options: ["--no-compile"] }], log);
    log(`${name}: writing MiniLM's graphs`);
    const script = join(ROOT, "bench/compare/peers/export_onnx.py");
    await runOrThrow([pythonOf(folder), script, await fetchMiniLM(CACHE, log), folder], name, log);
  },
};

export const onnxRuntime: Peer = {
  name: "ONNX Runtime",
  installation,
  command: (folder) => [pythonOf(folder), join(ROOT, "bench/compare/peers/onnx_runtime.py")],
  source: (folder) => folder,
};

export const sentenceTransformers: Peer = {
  name: "sentence-transformers",
  installation,
  command: (folder) => [pythonOf(folder), join(ROOT, "bench/compare/peers/torch_encoder.py")],
  source: () => fetchMiniLM(CACHE),
};
