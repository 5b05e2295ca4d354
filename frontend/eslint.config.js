import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", ".dist-*", "node_modules"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { "react-hooks": reactHooks },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      ...reactHooks.configs["recommended-latest"].rules,
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["aws-amplify", "aws-amplify/*"],
              message: "only session/amplify.ts speaks to Amplify; it is loaded when needed",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["src/session/amplify.ts"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    files: ["*.mjs", "*.js"],
    languageOptions: { globals: globals.node },
  },
);
