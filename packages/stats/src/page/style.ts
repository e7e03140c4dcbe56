/** The style of the page. Colours go with words and signs; each pair has a contrast of 4.5 to 1 or more. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--rail:#e3e8ee;--link:#0b57d0;--up:#116329;--drain:#0b57d0;--maint:#7a4a00;--down:#b3261e;--mark:#fff4ce}
@media(prefers-color-scheme:dark){:root{--bg:#0f1419;--fg:#e6e9ed;--soft:#a3adb8;--line:#323a44;--rail:#29313a;--link:#8ab8ff;--up:#63d68b;--drain:#8ab8ff;--maint:#e3b765;--down:#ff9a90;--mark:#3a3212}}
*{box-sizing:border-box}
body{margin:0 auto;padding:0 1rem 3rem;max-width:100rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;padding:.75rem 0;border-bottom:1px solid var(--line)}
header h1{margin:0;font-size:1.25rem}
header p{margin:0}
header .end{margin-left:auto}
h2{margin:1.5rem 0 .25rem;font-size:1.1rem}
input,button{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--soft);border-radius:4px;padding:.2rem .6rem}
button{cursor:pointer}
.go{background:var(--fg);color:var(--bg)}
.note{color:var(--soft);font-size:.85rem}
.url{overflow-wrap:anywhere}
.num{font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:flex;flex-wrap:wrap;gap:.35rem 1.5rem;margin:.25rem 0 .75rem}
dt{color:var(--soft);font-size:.85rem}
dd{margin:0;font-variant-numeric:tabular-nums}
.facts{display:block;max-width:48rem}
.facts div{display:grid;grid-template-columns:14rem 1fr;padding:.3rem 0;border-top:1px solid var(--line)}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .5rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);font-weight:400}
thead th{font-size:.85rem;white-space:nowrap;border-top:0}
tr:target{background:var(--mark)}
.badge{display:inline-block;padding:0 .5rem;border:1px solid;border-radius:1rem;font-weight:600;white-space:nowrap}
.up{color:var(--up)}.drain{color:var(--drain)}.maint{color:var(--maint)}.down{color:var(--down)}
progress{width:100%;max-width:14rem;accent-color:var(--drain)}
svg{vertical-align:middle}
.spark polyline{fill:none;stroke:var(--link);stroke-width:1.5}
.bar{display:block}.bar rect{fill:var(--link)}.bar .rail{fill:var(--rail)}
.action{display:inline-block;padding:.1rem .3rem}
.error,.late{color:var(--down)}
.consequences{font-size:1.1rem;padding-left:1.2rem}
form{margin:.5rem 0}
@media(max-width:60rem){
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tbody tr{display:grid;grid-template-columns:1fr 1fr;border:1px solid var(--line);border-radius:6px;margin-bottom:.75rem}
tbody th,tbody .actions{grid-column:1/-1}
tbody th{border-top:0}
td::before{content:attr(data-label);display:block;color:var(--soft);font-size:.8rem}
.action{padding:.4rem .8rem;margin-right:.4rem;border:1px solid var(--line);border-radius:4px}
.facts div{grid-template-columns:1fr}
header .end{margin-left:0}
}
`
