#include "plan_page.h"

namespace psctl {

const char* const kPage = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>@SPEC@</title>
<style>
@STYLE@</style>
</head>
<body>
<noscript><p>This page is drawn by its own script, which is turned off. A picture without one: psctl plan --format svg.
</p></noscript>
<header><h1 id="spec"></h1><p id="facts"></p></header>
<fieldset id="names"><legend>Groups of</legend></fieldset>
<p id="about" aria-live="polite"></p>
<main>
<section id="world" aria-label="Ranks by host. Arrow keys move, Enter holds a rank, Escape lets it go."></section>
<aside id="panel" aria-label="The chosen rank"></aside>
</main>
<script>
//<![CDATA[
@SCRIPT@//]]>
</script>
</body>
</html>
)page";

const char* const kPageStyle = R"style(:root { color-scheme: light dark;
  --paper: #fff; --box: #f6f8fa; --line: #cbd5e1; --ink: #17202a; --soft: #4b5563;
  --accent: #1d4ed8; --chosen: #e0e7ff; --wash: rgb(255 255 255 / .68); --washed: #4b5563; }
@media (prefers-color-scheme: dark) { :root { --paper: #0f172a; --box: #1e293b; --line: #475569; --ink: #f1f5f9;
  --soft: #b6c2d2; --accent: #93c5fd; --chosen: #1e3a8a; --wash: rgb(15 23 42 / .8); --washed: #cbd5e1; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 28px; max-width: 1700px; background: var(--paper); color: var(--ink);
  font: 15px/1.45 Inter, "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 21px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 4px; }
header p, #about, .soft { color: var(--soft); margin: 4px 0 0; }
#about { margin: 0 0 14px; }
.mono { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px;
  overflow-wrap: anywhere; }
fieldset { border: 0; padding: 0; margin: 18px 0 10px; display: flex; flex-wrap: wrap; gap: 6px; }
legend { float: left; padding: 6px 6px 0 0; color: var(--soft); }
#names label { border: 1px solid var(--line); border-radius: 999px; padding: 4px 12px; cursor: pointer;
  background: var(--box); }
#names input { position: absolute; opacity: 0; }
#names label small { color: var(--soft); margin-left: 5px; }
#names label.chosen { background: var(--chosen); border-color: var(--accent); }
#names label.alone:not(.chosen) { border-style: dashed; }
#names label:focus-within, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
main { display: flex; gap: 26px; align-items: flex-start; }
#world { flex: 1 1 auto; display: flex; flex-wrap: wrap; gap: 14px; align-content: flex-start; }
.host { border: 1px solid var(--line); border-radius: 8px; background: var(--box); padding: 8px 10px 10px; }
.host h3 { font-size: 12px; margin: 0 0 6px; color: var(--soft); }
.cells { display: grid; gap: 5px; }
.rank { width: 46px; height: 42px; border: 0; border-radius: 6px; padding: 0; color: #17202a; font: inherit;
  font-weight: 600; line-height: 1.15; cursor: pointer; background-color: #e5e7eb; }
.rank small { display: block; font-size: 11px; font-weight: 400; }
.many .cells { gap: 3px; }
.many .rank { width: 34px; height: 30px; font-size: 12px; border-radius: 4px; line-height: 1.05; }
.many .rank small { font-size: 9px; }
#world.more { gap: 8px; }
.more .host { padding: 4px 7px 7px; }
.more .host h3 { margin: 0 0 3px; }
.more .rank { width: 27px; height: 20px; font-size: 10.5px; font-weight: 500; }
.more .rank small { display: none; }
.crowd .cells { gap: 1px; }
.crowd .rank { width: 12px; height: 12px; border-radius: 2px; font-size: 0; }
.crowd .rank small { display: none; }
.pattern1, .pattern2, .pattern3 { text-shadow: 0 0 2px var(--own), 0 0 3px var(--own), 0 0 4px var(--own); }
.pattern1 { background-image:
  repeating-linear-gradient(135deg, transparent 0 4px, rgb(255 255 255 / .75) 4px 6px); }
.pattern2 { background-image: radial-gradient(circle, rgb(255 255 255 / .75) 1.7px, transparent 2px);
  background-size: 8px 8px; }
.pattern3 { background-image: repeating-linear-gradient(0deg, transparent 0 5px, rgb(255 255 255 / .75) 5px 7px); }
.showing .rank { text-shadow: none; box-shadow: inset 0 0 0 30px var(--wash); color: var(--washed); }
.showing .rank.member { box-shadow: 0 0 0 2px var(--ink); color: #17202a; }
.showing .rank.self { box-shadow: 0 0 0 4px var(--ink); color: #17202a; }
#panel { flex: 0 0 400px; position: sticky; top: 16px; max-height: calc(100vh - 32px); overflow: auto;
  border: 1px solid var(--line); border-radius: 8px; background: var(--box); padding: 14px 16px; }
table { border-collapse: collapse; width: 100%; margin-top: 10px; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; }
th, td { padding: 4px 10px 4px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
tr.chosen td { background: var(--chosen); }
td:first-child, th:first-child { padding-left: 6px; }
td.n { white-space: nowrap; }
td button { font: inherit; color: var(--accent); background: none; border: 0; padding: 0; cursor: pointer;
  text-decoration: underline; text-underline-offset: 3px; }
.swatch { display: inline-block; width: 16px; height: 12px; border-radius: 3px; margin-right: 6px;
  background-color: #e5e7eb; }
@media (max-width: 1000px) { main { flex-direction: column; } #panel { position: static; flex-basis: auto; width: 100%;
  max-height: none; } }
@media (prefers-reduced-motion: no-preference) { .rank { transition: box-shadow .1s; } }
)style";

const char* const kPageScript = R"script('use strict';
const plan = @PLAN@;
const merged = @MERGED@;
const view = @VIEW@;
if (merged) Object.assign(plan.groups, merged.groups);
const by_id = id => document.getElementById(id);
const names = Object.keys(plan.groups);
const world = plan.world;
const gpus = plan.summary.gpus_per_host || world;
const columns = gpus <= 8 ? gpus : Math.max(8, 2 ** Math.ceil(Math.log2(Math.sqrt(2 * gpus))));
// For each name, every rank's [group, place], or nothing.
const places = {};
for (const name of names) {
  places[name] = new Array(world);
  plan.groups[name].forEach((ranks, group) => ranks.forEach((rank, place) => { places[name][rank] = [group, place]; }));
}
let chosen = view.name;
let held = view.rank;
let shown = null;

function element(tag, parent, text, classes) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (classes) made.className = classes;
  parent.append(made);
  return made;
}
const counted = (count, noun) => count + ' ' + noun + (count === 1 ? '' : 's');

function fold(ranks) {
  const step = ranks.length > 1 ? ranks[1] - ranks[0] : 0;
  const even = list => list.every((rank, i) => i === 0 || rank - list[i - 1] === step);
  if (ranks.length > 2 && even(ranks)) {
    if (step === 1) return '[' + ranks[0] + '..' + ranks.at(-1) + ']';
    if (ranks.length > 4) return '[' + ranks[0] + ', ' + ranks[1] + ', .., ' + ranks.at(-1) + ']';
  }
  const runs = [];
  for (const rank of ranks) {
    if (runs.length > 0 && runs.at(-1)[1] === rank - 1) runs.at(-1)[1] = rank;
    else runs.push([rank, rank]);
  }
  const texts = runs.map(([first, last]) => first === last ? String(first)
    : first + 1 === last ? first + ', ' + last : first + '..' + last);
  if (texts.length > 10) texts.splice(8, texts.length - 9, '..');
  return '[' + texts.join(', ') + ']';
}

function paint(target, group) {
  target.classList.remove('pattern1', 'pattern2', 'pattern3');
  target.style.backgroundColor = '';
  if (group === undefined) return;
  const color = view.colors[group % view.colors.length];
  target.style.backgroundColor = color;
  target.style.setProperty('--own', color);
  const pattern = Math.floor(group / view.colors.length) % view.patterns;
  if (pattern > 0) target.classList.add('pattern' + pattern);
}

// The page as it stays: names to choose from, hosts and ranks.
by_id('spec').textContent = plan.spec;
const cost = plan.summary;
by_id('facts').textContent = counted(world, 'rank') +
  (cost.hosts ? ' on ' + counted(cost.hosts, 'host') + ' of ' + gpus : '') +
  '. A rank is in up to ' + counted(cost.groups_per_rank, 'group') + ' and needs ' +
  counted(cost.communicators_per_rank, 'communicator') + '; one new_group for each group would be ' +
  counted(cost.torch_new_group_calls_per_rank, 'call') + ' on every rank.';
const labels = {};
for (const name of names) {
  const label = labels[name] = element('label', by_id('names'));
  const radio = element('input', label);
  radio.type = 'radio';
  radio.name = 'name';
  radio.value = name;
  radio.checked = name === chosen;
  radio.addEventListener('change', () => choose(name));
  element('span', label, name);
  const list = plan.groups[name];
  if (list[0].length === 1) label.classList.add('alone');
  element('small', label, plan.aliases[name] ? '= ' + plan.aliases[name] : list.length + ' × ' + list[0].length);
}
by_id('world').classList.toggle('many', world > 128);
by_id('world').classList.toggle('more', world > 256);
by_id('world').classList.toggle('crowd', world > 2048);
const cells = [];
for (let first = 0; first < world; first += gpus) {
  const host = element('div', by_id('world'), undefined, 'host');
  host.setAttribute('role', 'group');
  element('h3', host, cost.hosts ? 'host ' + first / gpus : 'world');
  host.setAttribute('aria-label', host.firstChild.textContent);
  const grid = element('div', host, undefined, 'cells');
  grid.style.gridTemplateColumns = 'repeat(' + columns + ', max-content)';
  for (let rank = first; rank < Math.min(world, first + gpus); ++rank) {
    const cell = element('button', grid, String(rank), 'rank');
    cell.type = 'button';
    cell.dataset.rank = rank;
    cell.tabIndex = rank === (held ?? 0) ? 0 : -1;
    element('small', cell);
    cells.push(cell);
  }
}

function choose(name) {
  chosen = name;
  for (const other of names) labels[other].classList.toggle('chosen', other === name);
  labels[name].firstChild.checked = true;
  const list = plan.groups[name];
  const crossing = cost.hosts
    ? list.filter(ranks => ranks.some(rank => Math.floor(rank / gpus) !== Math.floor(ranks[0] / gpus))).length : 0;
  by_id('about').textContent = name + ': ' + counted(list.length, 'group') + ' of ' + list[0].length +
    (plan.aliases[name] ? ', alias of ' + plan.aliases[name] : '') +
    (cost.hosts ? (crossing === 0 ? ', none crosses hosts' : ', ' + crossing + ' across hosts') : '');
  cells.forEach((cell, rank) => {
    const place = places[name][rank];
    paint(cell, place && place[0]);
    cell.lastChild.textContent = place ? '#' + place[0] : '-';
    const where = place ? ' group ' + place[0] + ', place ' + place[1] : ' none';
    cell.setAttribute('aria-label', 'rank ' + rank + ', ' + name + where);
  });
  show(shown);
}

function highlight(rank, name) {
  by_id('world').classList.toggle('showing', rank !== null);
  for (const cell of cells) cell.classList.remove('member', 'self');
  if (rank === null) return;
  const place = places[name][rank];
  if (place) for (const member of plan.groups[name][place[0]]) cells[member].classList.add('member');
  cells[rank].classList.add('self');
}

function show(rank) {
  shown = rank;
  highlight(rank, chosen);
  const panel = by_id('panel');
  panel.replaceChildren();
  if (rank === null) {
    element('h2', panel, 'A rank and its groups');
    element('p', panel, 'Point at a rank, or go to it with Tab and the arrow keys. A click or Enter holds it, ' +
      'Escape lets it go.', 'soft');
    return;
  }
  const host = cost.hosts ? ', GPU ' + rank % gpus + ' of host ' + Math.floor(rank / gpus) : '';
  element('h2', panel, 'rank ' + rank + host);
  const coordinates = Object.entries(view.coordinates).filter(([, list]) => list[rank] >= 0)
    .map(([axis, list]) => axis + '=' + list[rank]);
  element('p', panel, coordinates.join(' '), 'mono soft');
  if (held === rank) element('p', panel, 'Held; Escape lets it go.', 'soft');
  const table = element('table', panel);
  const head = element('tr', element('thead', table));
  for (const title of ['name', 'group', 'place', 'members']) element('th', head, title).scope = 'col';
  const body = element('tbody', table);
  for (const name of names) {
    const row = element('tr', body, undefined, name === chosen ? 'chosen' : '');
    const button = element('button', element('td', row), name);
    button.type = 'button';
    button.addEventListener('click', () => choose(name));
    for (const event of ['mouseenter', 'focusin']) row.addEventListener(event, () => highlight(rank, name));
    for (const event of ['mouseleave', 'focusout']) row.addEventListener(event, () => highlight(rank, chosen));
    const place = places[name][rank];
    const group = element('td', row, undefined, 'n');
    if (!place) {
      group.textContent = '-';
      element('td', row, '-');
      element('td', row, 'in none', 'soft');
      continue;
    }
    paint(element('span', group, undefined, 'swatch'), place[0]);
    group.append('#' + place[0]);
    const ranks = plan.groups[name][place[0]];
    element('td', row, place[1] + ' of ' + ranks.length, 'n');
    element('td', row, plan.aliases[name] ? 'as ' + plan.aliases[name] : fold(ranks), 'mono');
  }
}

function hold(rank) {
  held = rank;
  show(rank);
}
const rank_of = event => {
  const cell = event.target.closest('.rank');
  return cell ? Number(cell.dataset.rank) : null;
};
const area = by_id('world');
area.addEventListener('mouseover', event => { if (held === null && rank_of(event) !== null) show(rank_of(event)); });
area.addEventListener('mouseleave', () => { if (held === null) show(null); });
area.addEventListener('focusin', event => { if (held === null && rank_of(event) !== null) show(rank_of(event)); });
area.addEventListener('click', event => {
  const rank = rank_of(event);
  if (rank !== null) hold(held === rank ? null : rank);
});
area.addEventListener('keydown', event => {
  const rank = rank_of(event);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -world, End: world };
  if (rank === null || !(event.key in steps)) return;
  event.preventDefault();
  const next = Math.min(world - 1, Math.max(0, rank + steps[event.key]));
  cells[rank].tabIndex = -1;
  cells[next].tabIndex = 0;
  if (held !== null) held = next;
  cells[next].focus();
  show(next);
});
document.addEventListener('keydown', event => { if (event.key === 'Escape') hold(null); });
shown = held;
choose(chosen);
)script";

}  // namespace psctl
