namespace DmlPipeline.Evaluation.Report;

internal static class ReportStyle
{
    public const string Css = """
        :root{--page:#f6f7f9;--card:#fff;--ink:#16191f;--soft:#5b6472;--rule:#e3e6eb;--model:#2855d9;--base:#aeb6c4;--loss:#b4540a;
          --right:#14804a;--right-tint:#e7f5ed;--wrong:#c0341d;--wrong-tint:#fdece8;--shade:0 1px 2px rgba(20,25,35,.06),0 4px 16px rgba(20,25,35,.05)}
        @media (prefers-color-scheme:dark){:root{--page:#101318;--card:#181c23;--ink:#eceef2;--soft:#9aa3b2;--rule:#2b313b;--model:#7fa0ff;--base:#566073;--loss:#f0a35e;
          --right:#56cf91;--right-tint:#16301f;--wrong:#ff8a73;--wrong-tint:#3a1c17;--shade:none}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-font-smoothing:antialiased}
        main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
        header{margin-bottom:28px}
        .over{margin:0;color:var(--model);font-size:12px;font-weight:650;letter-spacing:.09em;text-transform:uppercase}
        h1{margin:2px 0 4px;font-size:34px;line-height:1.15;letter-spacing:-.02em;overflow-wrap:anywhere}
        h2{margin:44px 0 4px;font-size:20px;letter-spacing:-.01em}
        .sub,.lead,.note,.meaning,.none{color:var(--soft)}
        .sub{margin:0;overflow-wrap:anywhere}
        .verdict{margin:18px 0 0;font-size:19px;line-height:1.4;max-width:46em}
        .verdict b{color:var(--model);font-weight:650}
        .lead{margin:0 0 14px}
        .note{font-size:13px;max-width:70em}
        .tiles{display:grid;gap:14px;grid-template-columns:repeat(12,1fr)}
        .tile{grid-column:span 4;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:16px 18px 14px;box-shadow:var(--shade)}
        .tile:nth-child(-n+4){grid-column:span 3}
        .tile h3{margin:0;font-size:13px;font-weight:600;color:var(--soft)}
        .value{margin:2px 0 0;font-size:34px;line-height:1.1;font-weight:650;letter-spacing:-.03em;font-variant-numeric:tabular-nums}
        .value small{font-size:.5em;font-weight:500;color:var(--soft);letter-spacing:0}
        .meaning{margin:2px 0 12px;font-size:12.5px;line-height:1.35}
        .range{margin:-8px 0 12px;font-size:12.5px;font-variant-numeric:tabular-nums}
        .bar{display:grid;grid-template-columns:72px 1fr 34px;align-items:center;gap:8px;font-size:12px;line-height:19px;color:var(--soft)}
        .bar .name{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
        .bar .num{text-align:right;font-variant-numeric:tabular-nums}
        .track{height:6px;border-radius:3px;background:var(--rule);overflow:hidden}
        .track i{display:block;height:100%;min-width:2px;border-radius:3px;background:var(--base)}
        .bar.model{color:var(--ink)}.bar.model .track i{background:var(--model)}
        .charts{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));margin-top:12px}
        .chart{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:14px 16px 8px;box-shadow:var(--shade)}
        .chart figcaption{font-size:13px;font-weight:600;color:var(--soft);margin-bottom:6px}
        svg{display:block;width:100%;height:auto}
        .grid{stroke:var(--rule)}.tick{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
        .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
        .line.a{stroke:var(--loss)}.line.b{stroke:var(--model)}
        .dot.a{fill:var(--loss)}.dot.b{fill:var(--model)}.dot{r:2.4px}
        .best{fill:var(--card);stroke-width:2.5;stroke:var(--model)}
        .chart figcaption span{float:right;font-weight:400;color:var(--soft)}
        .entry{display:grid;grid-template-columns:112px 1fr;gap:18px;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:14px 16px;margin-bottom:12px;box-shadow:var(--shade)}
        .entry ol{list-style:none;margin:0;padding:0 0 0 18px;border-left:1px solid var(--rule);display:grid;gap:10px;grid-template-columns:repeat(8,minmax(0,1fr))}
        .entry figure{margin:0;position:relative;min-width:0}
        .entry img{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:#fff;border-radius:9px;border:2px solid var(--rule)}
        .query img{border-color:var(--soft)}
        .right img{border-color:var(--right)}.wrong img{border-color:var(--wrong)}
        .entry figcaption{margin-top:5px;font-size:11.5px;line-height:1.35}
        .entry figcaption b,.entry figcaption span{display:block;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
        .entry figcaption b{font-weight:550}
        .entry figcaption span{color:var(--soft);font-variant-numeric:tabular-nums}
        .mark{position:absolute;top:-7px;right:-7px;width:20px;height:20px;border-radius:50%;display:grid;place-items:center;font-size:12px;font-weight:700;line-height:1;border:2px solid var(--card)}
        .right .mark{background:var(--right);color:var(--card)}.wrong .mark{background:var(--wrong);color:var(--card)}
        .right figcaption b{color:var(--right)}.wrong figcaption b{color:var(--wrong)}
        .scroll{overflow-x:auto;margin-top:12px;background:var(--card);border:1px solid var(--rule);border-radius:14px;box-shadow:var(--shade)}
        table{border-collapse:collapse;width:100%;font-size:14px}
        th,td{padding:9px 18px;text-align:right;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}
        th:first-child{text-align:left}thead th{font-size:12.5px;color:var(--soft);font-weight:600}tbody th{font-weight:550}
        tbody td:nth-child(2){font-weight:650}tbody tr:last-child>*{border-bottom:0}
        dl{display:grid;gap:1px;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));margin:12px 0 0;background:var(--rule);border:1px solid var(--rule);border-radius:14px;overflow:hidden;box-shadow:var(--shade)}
        dl div{background:var(--card);padding:10px 16px}
        dt{font-size:12px;color:var(--soft)}dd{margin:0;font-weight:550;overflow-wrap:anywhere}
        @media (max-width:820px){.tile,.tile:nth-child(-n+4){grid-column:span 6}.entry ol{grid-template-columns:repeat(4,minmax(0,1fr))}}
        @media (max-width:520px){main{padding:24px 14px 48px}.tile,.tile:nth-child(-n+4){grid-column:span 12}.entry{grid-template-columns:84px 1fr;gap:12px}.entry ol{padding-left:12px;grid-template-columns:repeat(3,minmax(0,1fr))}}
        @media print{body{background:#fff}.entry,.tile,.chart{break-inside:avoid;box-shadow:none}}
        """;
}
