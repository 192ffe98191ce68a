/** Bun gives the path of a file imported with `{ type: "file" }`. */
declare module "*.so" {
  const path: string;

  export { path as default };
}
declare module "*.dylib" {
  const path: string;

  export { path as default };
}
