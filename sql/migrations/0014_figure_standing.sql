-- Whether a published figure was provisional or final when it was frozen. Null: frozen before this was noted.

alter table release.figure add column standing text check (standing in ('provisional', 'final'));

comment on column release.figure.standing is
'Tạm tính (provisional) hoặc chính thức (final) khi chốt; trống: bản chốt trước khi ghi điều này | Provisional or final when it was frozen; null: a release from before this was noted';
