/** Bars of the stages of a machine's start. */
export const BOOT_STYLE = `.boots,.boots ul{list-style:none;padding:0}.boots{margin:.6rem 0 0;font-size:.9rem;font-variant-numeric:tabular-nums}
.boots>li{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.15rem .75rem;padding:.45rem 0;border-top:1px solid var(--line)}
.boots>li>svg,.boots>li>ul{grid-column:1/-1}.boots>li>svg{display:block;width:100%;height:.9rem}
.boots ul{display:flex;flex-wrap:wrap;gap:0 1.1rem;color:var(--soft);font-size:.85rem}.boots ul svg{width:.6rem;height:.6rem;margin-right:.35rem}
.boots b{color:var(--ink);font-weight:500;white-space:nowrap}
.stage{fill:light-dark(#3c9a68,#4fae7f)}.stage.firmware{fill:light-dark(#8b929b,#69717b)}.stage.kernel{fill:light-dark(#4f7399,#6d93bd)}
.stage.initrd{fill:light-dark(#8fabc8,#4a6a8f)}.stage.system{fill:light-dark(#8a7fb5,#9287c9)}.stage.cloud-init{fill:light-dark(#b08a3c,#c29d4e)}
.stage.command{fill:light-dark(#b5654a,#cc7a5d)}.stage.services{fill:light-dark(#a56a86,#b9789a)}
`;

/** What the evidence page adds to the style of every page. */
export const STYLE = `h1{font-size:2rem;line-height:1.15;font-weight:650;letter-spacing:-.02em}
h1 span{color:var(--soft);font-weight:400}
h2{font-size:1.15rem;font-weight:650;letter-spacing:-.01em;margin:0 0 .75rem}
h3{display:flex;flex-wrap:wrap;align-items:baseline}h3 small{margin-left:auto}
h2 small,h3 small{color:var(--soft);font-weight:400;font-size:.9rem;letter-spacing:0}h2 small{margin-left:.6rem}
h3{font-size:1rem;font-weight:600;padding-bottom:.3rem}
section,.part{margin-top:2.5rem}.test{margin-top:1.1rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.soft{color:var(--soft)}.small{font-size:.87rem}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.kicker{color:var(--soft);font-size:.87rem;margin-bottom:.35rem}.kicker b{color:var(--ink);font-weight:600;letter-spacing:.01em}
article+article{margin-top:5rem;padding-top:3rem;border-top:3px double var(--line)}
.verdict{margin:1.25rem 0;padding:.9rem 1.1rem;border-left:4px solid currentColor;border-radius:0 6px 6px 0}
.verdict.good{background:var(--good-wash)}.verdict.bad{background:var(--bad-wash)}.verdict.warn{background:var(--warn-wash)}
.verdict strong{display:block;font-size:1.3rem;line-height:1.3;font-weight:650;letter-spacing:-.01em}
.verdict p,.verdict li{color:var(--ink)}.verdict ul{padding-left:1.1rem;margin-top:.5rem}.verdict li{margin-top:.2rem}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1.25rem;font-size:.9rem}
.facts dt{color:var(--soft)}
.proofs{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));
background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden}
.proofs li{border:solid var(--line);border-width:0 1px 1px 0;margin:0 -1px -1px 0}
.proofs a{display:grid;grid-template-columns:1.35rem minmax(0,1fr);padding:.65rem .9rem;color:inherit;text-decoration:none}
.proofs a:hover b,.proofs a:focus-visible b{text-decoration:underline}
.proofs b{font-weight:600}.proofs span{grid-column:2;color:var(--soft);font-size:.85rem}
.mark{display:inline-block;width:1.35rem;font-weight:700;font-style:normal}
a:focus-visible,summary:focus-visible,input:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
.checks{position:relative}.checks td:first-child{width:1.35rem;padding-right:0}
.checks td p{color:var(--soft);font-size:.9rem;white-space:pre-line}.checks tr.bad td{color:var(--bad)}.checks tr.bad p{color:var(--ink)}
.test>p,.test>details,.after{padding-left:1.35rem}.test>table:not(.checks){margin:.6rem 0 0 1.35rem;width:calc(100% - 1.35rem)}.after{padding-left:0;margin-top:.5rem}
.severities{display:flex;flex-wrap:wrap;gap:0 1.25rem;margin-top:.4rem}
tbody th{font-weight:500}
.num{text-align:right;white-space:nowrap;padding-right:0;font-variant-numeric:tabular-nums}thead .num{text-align:right}
caption:not(.unseen){text-align:left;color:var(--soft);font-size:.87rem;padding-bottom:.4rem}
summary{cursor:pointer;color:var(--link);padding:.4rem 0;width:max-content;max-width:100%}
.digest{color:var(--soft);display:block;font-size:.78rem}
.paths{list-style:none;padding:0}.paths li+li{margin-top:.1rem}
.chip{font-size:.8rem;color:var(--soft);white-space:nowrap}.chip.bad{color:var(--bad)}.chip.warn{color:var(--warn)}
.time{list-style:none;padding:0;margin-top:.75rem;font-size:.9rem;font-variant-numeric:tabular-nums}
.time li{display:grid;grid-template-columns:minmax(0,19rem) minmax(0,1fr) 5.5rem;gap:0 1rem;align-items:center;padding:.22rem 0;border-top:1px solid var(--line)}
.time svg{display:block;width:100%;height:.7rem;background:linear-gradient(var(--line),var(--line)) 0 50%/100% 1px no-repeat}
.bar{fill:light-dark(#6f8fb0,#6d93bd)}.bar.proof{fill:light-dark(#3c9a68,#4fae7f)}.bar.out{fill:light-dark(#b08a3c,#c29d4e)}.bar.failed{fill:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.87rem;color:var(--soft)}.key svg{width:.8rem;height:.6rem;margin-right:.35rem}
.filter{display:flex;gap:.75rem;align-items:baseline;margin-bottom:.5rem;flex-wrap:wrap}.filter[hidden]{display:none}
.filter input{font:inherit;color:inherit;background:var(--card);border:1px solid light-dark(#8a9099,#737c87);border-radius:6px;padding:.35rem .6rem;width:18rem;max-width:100%}
.packages{table-layout:fixed}.packages td{font-size:.9rem}.packages .kind{width:5rem}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
@media (max-width:40rem){main{padding:1.25rem 1rem 3rem}h1{font-size:1.6rem}.proofs{grid-template-columns:1fr 1fr}.proofs a{padding:.6rem .7rem}
.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.4rem}
.time li{grid-template-columns:minmax(0,1fr) auto;gap:.1rem .75rem;border-top:0}.time svg{grid-row:2;grid-column:1/-1}.packages .kind{width:3.2rem}
th,td{padding-right:.5rem}h3 small{margin-left:1.35rem;flex-basis:100%}}
@media print{details>summary{display:none}.filter{display:none}}
`;

/** Narrows tables to the rows that hold every word of their search box; without it they are whole. */
export const SCRIPT = `for (const filter of document.querySelectorAll('.filter')) {
  const input = filter.querySelector('input');
  const output = filter.querySelector('output');
  const rows = [...document.getElementById(filter.dataset.table).tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      if (!row.hidden) shown += 1;
    });
    output.value = shown + ' of ' + rows.length;
  });
  filter.hidden = false;
}`;
