import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { CONTENTS } from '../contents.ts'
import { slugOf } from '../dead-links.ts'
import { REFERENCE } from '../reference.ts'

const CORE = new URL('../../../packages/core/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(CORE, 'utf8')) as { version: string }

export default defineConfig({
  title: 'limpet',
  description: 'Session affinity for Node gateways',
  srcDir: 'dist/pages',
  outDir: 'dist/site',
  cacheDir: 'dist/cache',
  lastUpdated: false,
  metaChunk: true,
  markdown: {
    anchor: { slugify: slugOf },
    languageAlias: { haproxy: 'nginx' },
    config(md) {
      const { code_inline: plain } = md.renderer.rules
      if (plain === undefined) throw new Error('markdown-it has no rule for code')
      // Vue would evaluate what stands between double braces.
      md.renderer.rules.code_inline = (...all) => plain(...all).replace(/^<code/, '<code v-pre')
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start here', link: '/' },
      { text: 'Choosing', link: '/choosing' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'Options', link: '/reference/pool' },
      { text: `version ${version}`, link: '/repository' },
    ],
    sidebar: [...CONTENTS, REFERENCE].map(({ title, entries }) => ({
      text: title,
      collapsed: false,
      items: entries.map(({ title: text, path }) => ({ text, link: path === 'index' ? '/' : `/${path}` })),
    })),
  },
})
