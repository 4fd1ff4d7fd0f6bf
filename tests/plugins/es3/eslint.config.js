"use strict";
const known = ["app", "system", "$", "File", "Folder", "CompItem", "AVLayer", "FileSource", "FolderItem", "ImportOptions", "MarkerValue", "AlphaMode", "Panel", "Window", "alert"];

module.exports = [{
    files: ["*.js"],
    ignores: ["eslint.config.js"],
    languageOptions: { ecmaVersion: 3, sourceType: "script", globals: Object.fromEntries(known.map((name) => [name, "readonly"])) },
    rules: { "no-undef": "error", "no-unused-vars": ["error", { caughtErrors: "none" }], "no-redeclare": "error", "eqeqeq": "error", "no-unreachable": "error" },
}];
