/**
 * The links of pages that lead nowhere: to no page, or to a heading that the page does not have.
 * @param pages Markdown by path
 */
export function deadLinks(pages: ReadonlyMap<string, string>): readonly string[] {
  const anchors = new Map([...pages].map(([path, text]) => [path, anchorsIn(text)] as const))
  return [...pages].flatMap(([path, text]) =>
    [...withoutCode(text).matchAll(/(?<!!\[[^\]]*)\]\((?!https?:)([^)\s]+)\)/g)].flatMap(
      ([, target = '']) => {
        const found = /^(?:\/(?<to>.+)\.md)?(?:#(?<anchor>.+))?$/.exec(target)
        const { to = path, anchor } = found?.groups ?? {}
        const there = found === null ? undefined : anchors.get(to)
        return there !== undefined && (anchor === undefined || there.has(anchor))
          ? []
          : [`${path}: ${target}`]
      },
    ),
  )
}

function anchorsIn(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, title = ''] of withoutCode(text).matchAll(/^#+ (.*)$/gm)) {
    const slug = slugOf(title)
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

function withoutCode(text: string): string {
  return text
    .replaceAll(/^(`{3,}).*\n[^]*?^\1$/gm, '')
    .replaceAll(/`[^`\n]*`/g, code => code.replaceAll(/[[\]()]/g, ''))
}

/** The anchor of a heading, as GitHub makes it: READMEs link to these. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}
