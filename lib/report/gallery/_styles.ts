/** The styles of gallery.html, for any width and for light and dark. */
export const styles = `:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body {
  font: 1rem/1.45 "DejaVu Sans", Verdana, system-ui, sans-serif;
  max-width: 72rem;
  margin: 0 auto;
  padding: 1rem;
  color: light-dark(#202020, #e4e4e4);
  background: light-dark(#ffffff, #161616);
}
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-top: 2rem; }
h3 { font-size: 1.1rem; margin: 0; }
h4 { font-size: 0.85rem; margin: 0.75rem 0 0.35rem; font-weight: normal; }
header p, .counts { max-width: 46rem; font-size: 0.9rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.3rem 0; }
a { color: light-dark(#00558a, #7fc4f5); }
a:focus-visible { outline: 3px solid light-dark(#0072b2, #7fc4f5); outline-offset: 2px; }
section { border-top: 1px solid light-dark(#d6d6d6, #3c3c3c); padding: 1rem 0; }
h3:target { text-decoration: underline; text-underline-offset: 0.2em; }
.words { margin: 0.2rem 0 0; font-size: 0.9rem; }
.sides { display: flex; flex-wrap: wrap; gap: 0 2.5rem; }
.strip { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 0; padding: 0; list-style: none; }
.strip li { flex: 0 0 8.5rem; }
figure { margin: 0; }
figcaption b { display: block; }
figcaption { font-size: 0.8rem; line-height: 1.3; margin-top: 0.25rem; overflow-wrap: anywhere; }
img { display: block; width: 100%; height: auto; border-radius: 3px; }
.own img { outline: 3px solid #009e73; outline-offset: 1px; }
.mark { color: light-dark(#00684c, #4fd0ab); white-space: nowrap; }
.corrected { display: grid; grid-template-columns: 10rem auto; gap: 0.75rem 1.5rem; justify-content: start; }
.corrected h3 { grid-column: 1 / -1; }
table { border-spacing: 0.5rem 0.4rem; margin: -0.4rem 0 0; font-size: 0.8rem; }
td, th { vertical-align: top; text-align: left; font-weight: normal; }
td b { display: block; margin-top: 0.2rem; }
tbody th { max-width: 10rem; overflow-wrap: anywhere; }
.overlay { position: relative; width: 8rem; }
.overlay img + img { position: absolute; inset: 0; }
@media (max-width: 40rem) {
  .sides, .sides > div { width: 100%; }
  .strip li { flex-basis: calc((100% - 1.2rem) / 3); }
  .corrected { grid-template-columns: 1fr; }
  .corrected .picture { max-width: 10rem; }
  table { margin: 0; width: 100%; table-layout: fixed; border-spacing: 0.3rem; }
  .overlay { width: 100%; }
}
@media print { nav { display: none; } section { break-inside: avoid; } }`;
