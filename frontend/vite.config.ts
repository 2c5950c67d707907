import { defineConfig } from "vite";

// Every file of the page is an asset of its own, so that the content security policy needs no exception.
export default defineConfig({
  build: { target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
});
