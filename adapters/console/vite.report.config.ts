import { createHash } from "node:crypto";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Puts script and styles into the page, which then allows itself exactly these by their hashes. */
function oneFile(): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_, bundle) {
      const page = bundle["report.html"];
      if (page?.type !== "asset") throw new Error("the build made no report.html");
      let html = String(page.source);
      let script = "";
      let style = "";
      for (const [name, file] of Object.entries(bundle)) {
        if (name === "report.html") continue;
        // `</script` in a string would end the element.
        if (file.type === "chunk") script += file.code.replace(/<\/script/g, "<\\/script");
        else if (name.endsWith(".css")) style += String(file.source);
        Reflect.deleteProperty(bundle, name);
      }
      const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
      const place = /(id="powerfill-report">)\s*null\s*(<\/script>)/;
      if (!place.test(html)) throw new Error("report.html has no place for the run");
      html = html
        .replace(place, "$1null$2")
        .replace(/ *<script type="module"[^>]*><\/script>\n/, "")
        .replace(/ *<link rel="stylesheet"[^>]*>\n/, "")
        .replace(
          '<meta charset="utf-8" />',
          () =>
            `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
      page.source = html;
    },
  };
}

/** The report page: `dist/report.html`, one file that needs nothing beside it. */
export default defineConfig({
  plugins: [react(), oneFile()],
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: false,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: "report.html",
      output: { inlineDynamicImports: true },
    },
  },
});
