import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "node_modules", "src/generated"] },
  js.configs.recommended,
  ...ts.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}"],
    ...hooks.configs.flat["recommended-latest"],
  },
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "error",
      "no-console": "error",
      // About React's compiler, which this build does not use.
      "react-hooks/incompatible-library": "off",
      "no-restricted-properties": [
        "error",
        { property: "dangerouslySetInnerHTML", message: "Text from outside is text." },
        { property: "innerHTML", message: "Text from outside is text." },
      ],
    },
  },
  {
    files: ["scripts/**", "test/**"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          "console",
          "process",
          "URL",
          "fetch",
          "setTimeout",
          // What runs in the browser.
          "document",
          "innerWidth",
          "requestAnimationFrame",
        ].map((name) => [name, "readonly"]),
      ),
    },
    rules: { "no-console": "off" },
  },
);
