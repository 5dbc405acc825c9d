import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** Runes everywhere: no file falls back to the old reactivity. */
export default { preprocess: vitePreprocess(), compilerOptions: { runes: true } };
