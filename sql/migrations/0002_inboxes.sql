-- Inboxes of several kinds: where within an inbox a delivery lay, who sent and who forwarded it, which zip it came in,
-- and what its drop folder or sender says about commune and period (cases 19, 41, 45 and 48).

alter table raw.delivery
add column path text,
add column sender text,
add column forwarded_by text,
add column message_id text,
add column original_date timestamptz,
add column container_sha256 text references raw.original,
add column said_commune text check (said_commune ~ '^[0-9]{5}$'),
add column said_period text check (said_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
add column sender_commune text check (sender_commune ~ '^[0-9]{5}$'),
add column source_size_bytes bigint;

-- What was received stays as it was: of deliveries before this version nothing but the name of the file is known.
alter table raw.delivery disable trigger append_only;
update raw.delivery set path = file_name;
alter table raw.delivery enable trigger append_only;

alter table raw.delivery
alter column path set not null,
drop constraint delivery_inbox_file_name_sha256_key,
add constraint delivery_inbox_path_sha256_key unique (inbox, path, sha256);

create index on raw.delivery (sha256);
create index on raw.delivery (container_sha256) where container_sha256 is not null;

-- What was fetched: under the same revision it is not fetched again while the archive has its originals.
create table raw.inbox_item (
    inbox text not null,
    item text not null,
    revision text not null,
    originals text[] not null,
    fetched_at timestamptz not null,
    primary key (inbox, item, revision)
);
create trigger append_only before update or delete or truncate on raw.inbox_item
for each statement execute function audit.refuse_change();

comment on table raw.delivery is
'Mỗi lần một tệp đến một hộp nhận | One file as it came into one inbox';
comment on column raw.delivery.sha256 is
'Mã băm của nguyên bản | Hash of the original';
comment on column raw.delivery.inbox is
'Địa chỉ hộp nhận, không có mật khẩu | Address of the inbox, without password';
comment on column raw.delivery.file_name is
'Tên tệp | Name of the file';
comment on column raw.delivery.path is
'Vị trí trong hộp nhận; thư: thư mục/mã thư/phần/tên | Place in the inbox; mail: folder/message id/part/name';
comment on column raw.delivery.received_at is
'Lúc cơ quan nhận được lần đầu ở hộp này (UTC) | First official receipt in this inbox (UTC)';
comment on column raw.delivery.sender is
'Địa chỉ thư của người gửi gốc | Mail address of the original sender';
comment on column raw.delivery.forwarded_by is
'Địa chỉ thư của người chuyển tiếp | Mail address of who forwarded it';
comment on column raw.delivery.message_id is
'Mã thư (Message-ID) của thư đã nhận | Message-ID of the mail that was received';
comment on column raw.delivery.original_date is
'Ngày ghi trong thư gốc của người gửi (UTC) | Date in the sender''s own mail (UTC)';
comment on column raw.delivery.container_sha256 is
'Mã băm của tệp nén chứa tệp này | Hash of the zip that this file lay in';
comment on column raw.delivery.said_commune is
'Mã xã theo thư mục nhận, nếu không có thì theo người gửi | Commune code by drop folder, else by sender';
comment on column raw.delivery.said_period is
'Kỳ báo cáo theo thư mục nhận | Period by drop folder';
comment on column raw.delivery.sender_commune is
'Mã xã theo địa chỉ người gửi (senders.csv) | Commune code by the sender''s address (senders.csv)';
comment on column raw.delivery.source_size_bytes is
'Dung lượng ở nơi gửi khi kho chỉ giữ phần đầu [byte] | Size at the source where only its beginning is kept [bytes]';
comment on table raw.inbox_item is
'Tệp hoặc thư đã lấy về | Files and mails that were fetched';
comment on column raw.inbox_item.inbox is
'Địa chỉ hộp nhận | Address of the inbox';
comment on column raw.inbox_item.item is
'Tệp (đường dẫn) hoặc thư (UID) | File (path) or mail (UID)';
comment on column raw.inbox_item.revision is
'Dấu nhận biết nội dung thay đổi ở nơi gửi | What changes when the content may have changed at the source';
comment on column raw.inbox_item.originals is
'Mã băm các nguyên bản lấy về; rỗng: thư không có tệp | Hashes of the originals; empty: a mail without a file';
comment on column raw.inbox_item.fetched_at is
'Lúc lấy về (UTC) | When it was fetched (UTC)';
