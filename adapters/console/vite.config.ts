import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The console: `dist/index.html` and `dist/assets`, with names that follow from the content. */
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The report page of the other build is in the same folder.
    emptyOutDir: true,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return "react";
          if (/node_modules\/@tanstack\/(?!.*(table|virtual))/.test(id)) return "tanstack";
          return undefined;
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: process.env["POWERFILL_URL"] ?? "http://127.0.0.1:7878" },
    },
  },
});
