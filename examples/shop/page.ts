const COLOURS: Readonly<Record<string, string>> = { shop1: '#0b7285', shop2: '#a61e4d', shop3: '#5f3dc4' }

/** The visitor's page: the name of the shop, the cart there, and a button. */
export function page(id: string, pid: number, items: readonly string[]): string {
  const cart =
    items.length === 0
      ? '<p class="quiet">The cart that this shop has for you is empty.</p>'
      : `<ol>${items.map(item => `<li>${escaped(item)}</li>`).join('')}</ol>`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${id}</title>
<style>
  body { margin: 0; font: 17px/1.5 system-ui, sans-serif; color: #212529; background: #f1f3f5 }
  header { padding: 2.5rem 1.5rem; color: #fff; background: ${COLOURS[id] ?? '#343a40'} }
  header > *, main { max-width: 34rem; margin: 0 auto }
  h1 { font-size: 2.4rem; line-height: 1.4 }
  main { padding: 1.5rem }
  h2 { font-size: 1.2rem; margin: 0 0 .5rem }
  section { background: #fff; border-radius: .6rem; margin-bottom: 1rem; padding: 1.2rem 1.5rem; box-shadow: 0 1px 3px #0002 }
  form { display: flex; gap: .6rem; margin-top: 1rem }
  input, button { font: inherit; padding: .45rem .8rem; border: 1px solid #adb5bd; border-radius: .4rem }
  input { flex: 1; min-width: 0 }
  button { color: #fff; background: ${COLOURS[id] ?? '#343a40'}; border-color: transparent; cursor: pointer }
  .quiet { color: #495057; margin: 0 }
</style>
<header>
  <h1>${id}</h1>
  <p>answered you. It is process ${pid}, and your cart is in its memory and nowhere else.</p>
</header>
<main>
  <section>
    <h2>Your cart</h2>
    ${cart}
    <form method="post" action="cart/items">
      <input name="name" value="apple" maxlength="60" required aria-label="item">
      <button>Add to cart</button>
    </form>
  </section>
  <p class="quiet">Reload: it is ${id} again. A private window is a new session, and may get another shop.</p>
</main>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, character => ENTITIES[character] ?? '')
}
