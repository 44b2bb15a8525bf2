"""How the page looks, on a screen and on a phone's width."""

CSS = """
:root { --gap: 12px; }
body { font-family: system-ui, sans-serif; }
.nicegui-content { padding: 0; gap: 0; align-items: stretch; }
.top { padding: 10px 20px; width: 100%; display: flex; flex-wrap: wrap;
  align-items: baseline; gap: 4px 16px; border-bottom: 1px solid #8884; }
.top h1 { font-size: 1.25rem; line-height: 1.6; margin: 0; font-weight: 600; }
.top .about { opacity: .75; font-size: .85rem; }
.body { display: grid; grid-template-columns: 320px minmax(0, 1fr); width: 100%; }
.ask { padding: 16px 20px; display: flex; flex-direction: column; gap: var(--gap);
  border-right: 1px solid #8884; align-self: start; }
.ask > * { width: 100%; }
.answer { padding: 16px 20px; display: flex; flex-direction: column; gap: var(--gap); }
.answer > * { width: 100%; }
.wrong { padding: 10px 14px; border-radius: 6px; background: #b3261e; color: #fff; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
.drop { min-height: 0; box-shadow: none; border: 2px dashed #8888; border-radius: 8px; }
.drop .q-uploader__list, .drop .q-uploader__subtitle, .drop .q-btn { display: none; }
.drop .q-uploader__title { text-align: center; font-weight: 400; padding: 12px 0; }
.drop .q-uploader__header { background: none; color: inherit; }
.drop.q-uploader--dark, .drop { background: none; }
.shown { display: flex; flex-wrap: wrap; gap: 8px; }
.shown figure { margin: 0; width: 64px; font-size: .72rem; text-align: center; }
.shown img { width: 64px; height: 96px; object-fit: contain; background: #8882;
  border-radius: 4px; }
.unlike img { outline: 2px solid #b3261e; }
.like img { outline: 2px solid #2e7d32; }
.hits { display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(148px, 1fr)); }
.hit { border: 1px solid #8884; border-radius: 8px; overflow: hidden; display: flex;
  flex-direction: column; }
.hit img { width: 100%; aspect-ratio: 3 / 4; object-fit: contain; background: #8882; }
.hit .said { padding: 6px 10px 0; font-size: .82rem; line-height: 1.35;
  overflow-wrap: anywhere; }
.hit .score { font-weight: 600; font-size: .95rem; }
.hit .q-btn { font-size: .78rem; }
.hit.below { opacity: .38; }
.hit.reached { border-color: #2e7d32; }
.slider { flex: 1 1 220px; max-width: 420px; }
@media (max-width: 760px) {
  .body { grid-template-columns: minmax(0, 1fr); }
  .ask { border-right: 0; border-bottom: 1px solid #8884; padding: 12px; }
  .answer { padding: 12px; }
  .hits { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px; }
}
"""
