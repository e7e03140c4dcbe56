import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, serve } from 'vitepress'
import { deadLinks } from './dead-links.ts'
import { siteContent } from './site-pages.ts'

/* Builds the site into dist/site: npm run site. With --serve it is shown on 127.0.0.1:4173. */

const HERE = import.meta.dirname
const PAGES = join(HERE, 'dist/pages')
const SITE = join(HERE, 'dist/site')

const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })

const { pages, pictures } = siteContent()
const dead = deadLinks(pages)
if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`)

rmSync(join(HERE, 'dist'), { recursive: true, force: true })
for (const [path, text] of pages) {
  const file = join(PAGES, `${path}.md`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
// VitePress copies what stands in this folder.
for (const [path, file] of pictures) cpSync(file, join(PAGES, 'public', path))
await build(HERE)
// VitePress goes on when a page cannot be rendered.
for (const path of pages.keys())
  if (!readFileSync(join(SITE, `${path}.html`), 'utf8').includes('<h1'))
    throw new Error(`${path} was not rendered`)
console.log(`the site is in ${SITE}`)
if (values.serve) await serve({ root: HERE, port: 4173 })
