/** The page's one style sheet. Colours keep a contrast of at least 4.5:1 against what they stand on. */
export const STYLE = `:root {
  color-scheme: dark;
  --deep: #1a1b1e;
  --side: #232428;
  --room: #2e3035;
  --hover: #35373d;
  --line: #1f2023;
  --text: #dcdfe4;
  --bright: #f4f5f7;
  --quiet: #a3a9b4;
  --blue: #5865f2;
  --link: #5cb3ff;
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body {
  display: grid;
  grid-template-columns: 260px minmax(0, 1fr);
  background: var(--room);
  color: var(--text);
  font: 16px/1.4 "gg sans", "Noto Sans", "Helvetica Neue", Helvetica, "DejaVu Sans", Arial, sans-serif;
  -webkit-font-smoothing: antialiased;
}
h1, h2, h3, h4, h5, p, ul, ol { margin: 0; padding: 0; font-size: 1rem; }
ul, ol { list-style: none; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
#scroll:focus-visible { outline-offset: -3px; }
.skip { position: absolute; left: -99rem; z-index: 1; padding: .5rem 1rem; background: var(--blue); color: #fff; }
.skip:focus { left: .5rem; top: .5rem; }
.hint { padding: 1rem; color: var(--quiet); }

aside { display: flex; flex-direction: column; min-height: 0; background: var(--side); }
aside header, main header {
  display: flex; flex: none; align-items: center; gap: .75rem; height: 48px; padding: 0 1rem;
  border-bottom: 1px solid var(--line); box-shadow: 0 1px 2px #0003; color: var(--bright);
}
aside header strong { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
nav { flex: 1; overflow-y: auto; padding: 0 .5rem 1rem; scrollbar-width: thin; scrollbar-color: var(--deep) transparent; }
nav h2 {
  padding: 1.1rem .5rem .3rem; color: var(--quiet); font-size: .78rem; font-weight: 600; letter-spacing: .02em;
  overflow-wrap: anywhere;
}
nav h2::before { content: ""; display: inline-block; width: 5px; height: 5px; margin: 0 .45rem .15rem .1rem;
  border: solid currentColor; border-width: 0 1.5px 1.5px 0; transform: rotate(45deg); }
nav ul:first-child { padding-top: 1rem; }
nav li a {
  display: block; margin: 1px 0; padding: .33rem .5rem; border-radius: 5px; color: var(--quiet);
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
nav li a::before, h1::before { content: "#"; margin-right: .45rem; color: #80868f; font-weight: 500; font-size: 1.1em; }
nav li a:hover { background: var(--hover); color: var(--text); text-decoration: none; }
nav li a[aria-current] { background: #3f4148; color: #fff; }
aside footer { flex: none; padding: .6rem 1rem; background: var(--deep); font-size: .85rem; font-weight: 600; }
aside footer small { display: block; color: var(--quiet); font-size: .75rem; font-weight: 400; }

main { display: flex; flex-direction: column; min-width: 0; min-height: 0; }
main header h1 { flex: none; max-width: 60%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
main header p {
  min-width: 0; padding-left: .75rem; border-left: 1px solid #4a4d55; color: var(--quiet); font-size: .875rem;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
#live { margin-left: auto; color: #f0b132; font-size: .8rem; white-space: nowrap; }
#scroll {
  flex: 1; display: flex; flex-direction: column; overflow-y: auto; overflow-anchor: none; padding-bottom: 1.5rem;
  scrollbar-color: var(--deep) transparent;
}
#start { margin: 2rem 1rem 0; padding-bottom: 1rem; border-bottom: 1px solid #3f4148; color: var(--quiet); }
#scroll > :first-child { margin-top: auto; }
#start[hidden] { display: block; visibility: hidden; height: 0; padding: 0; border: 0; margin-bottom: 0; }
#messages:not(:empty) + #empty { display: none; }

.message { position: relative; padding: .1rem 3rem .1rem 4.5rem; }
.message:not(.joined) { margin-top: 1.05rem; }
.message.joined { margin-top: .5rem; }
.message:hover { background: #292b30; }
.message[data-day]::before {
  content: attr(data-day); display: block; margin: 1.2rem 0 1rem -3.5rem; color: var(--quiet);
  font-size: .75rem; font-weight: 600; text-align: center;
}
.face {
  position: absolute; left: 1rem; margin-top: .15rem; width: 40px; height: 40px; border-radius: 50%;
  color: #fff; font-weight: 600; line-height: 40px; text-align: center;
}
.h0 { background: #5865f2; } .h1 { background: #9b4dca; } .h2 { background: #1f7a56; }
.h3 { background: #b3522c; } .h4 { background: #a8325e; } .h5 { background: #2b6f99; }
.message h2 { display: inline; color: var(--bright); font-weight: 500; }
abbr {
  padding: .02rem .3rem; border-radius: 4px; background: var(--blue); color: #fff; font-size: .65rem; font-weight: 600;
  text-decoration: none; vertical-align: .1em;
}
time { color: var(--quiet); font-size: .75rem; }
time.at { margin-left: .5rem; }
time.beside { position: absolute; left: 0; width: 4.5rem; margin-top: .14rem; padding-right: .9rem; text-align: right; font-size: .69rem; }

.body { overflow-wrap: anywhere; }
.body p { white-space: pre-wrap; }
.body p:empty { height: .7rem; }
.body h3 { font-size: 1.4rem; } .body h4 { font-size: 1.2rem; } .body h5 { font-size: 1rem; }
.body h3, .body h4, .body h5 { margin: .4rem 0 .15rem; color: var(--bright); line-height: 1.25; }
.body small { display: block; color: var(--quiet); font-size: .8125rem; }
.body small.edited { display: inline; font-size: .65rem; }
blockquote { margin: 0; padding-left: .75rem; border-left: 4px solid #4e5058; border-radius: 3px; }
code { padding: .1em .25em; border-radius: 4px; background: var(--side); font: .86em/1.35 ui-monospace, "gg mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre {
  width: fit-content; min-width: min(30rem, 100%); max-width: min(60rem, 100%); max-height: 28rem; margin: .3rem 0; padding: .6rem .75rem;
  overflow: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--side); scrollbar-width: thin; scrollbar-color: var(--deep) transparent;
}
pre code { padding: 0; background: none; white-space: pre-wrap; font-size: .855rem; }
.k { color: #8ab4f8; } .s { color: #a5d6a7; } .n { color: #f2b880; } .w { color: #d9a5f3; }
.plus { color: #8fd19e; } .minus { color: #ff9c9c; }

.files { display: flex; flex-wrap: wrap; gap: .5rem; padding: .3rem 0; }
.file {
  display: grid; grid-template-columns: auto 1fr; column-gap: .7rem; min-width: 15rem; max-width: 27rem; padding: .65rem .9rem;
  border: 1px solid #3b3d44; border-radius: 8px; background: var(--side);
}
.file::before { content: ""; grid-row: span 2; align-self: center; width: 26px; height: 34px; border-radius: 3px;
  background: linear-gradient(225deg, var(--side) 9px, #8b95f7 9.5px); }
.file .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.file .size { color: var(--quiet); font-size: .78rem; }

@media (max-width: 720px) {
  body { grid-template: minmax(0, 32vh) minmax(0, 1fr) / minmax(0, 1fr); }
  .message { padding-right: 1rem; }
  aside footer { display: none; }
}
@media (prefers-reduced-motion: no-preference) {
  nav li a, .message { transition: background-color 80ms; }
}
`;
