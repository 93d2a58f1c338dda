"""Names of bodies of any province and level, and what became of them."""

from __future__ import annotations

import pytest

from etl.directives import agencies
from etl.directives.folding import key

NAMES = [
    ("Sở Tài chính, Sở Xây dựng theo chức năng", ["Sở Tài chính", "Sở Xây dựng"]),
    ("Sở NN&PTNT, Sở KH&ĐT, Sở TN&MT rà soát", [
        "Sở Nông nghiệp và Phát triển nông thôn", "Sở Kế hoạch và Đầu tư", "Sở Tài nguyên và Môi trường"]),
    ("các Sở: Tài chính, Xây dựng, Nông nghiệp và Môi trường chủ trì", [
        "Sở Tài chính", "Sở Xây dựng", "Sở Nông nghiệp và Môi trường"]),
    ("Sở Văn hoá, Thể thao và Du lịch và UBND các xã rà soát", ["Sở Văn hóa, Thể thao và Du lịch", "UBND các xã"]),
    ("Uỷ ban nhân dân tỉnh Đồng Nai chỉ đạo", ["UBND tỉnh Đồng Nai"]),
    ("Chủ tịch UBND các huyện, thành phố chủ động", ["UBND các huyện, thành phố"]),
    ("UBND các xã: Yên Bình, Hữu Liên và Vân Nham khẩn trương", [
        "UBND xã Yên Bình", "UBND xã Hữu Liên", "UBND xã Vân Nham"]),
    ("UBND các xã, phường Quế Võ, Nhân Hòa khẩn trương", ["UBND Quế Võ", "UBND Nhân Hòa"]),
    ("cấp ủy, chính quyền xã Quan Sơn tập trung", ["UBND xã Quan Sơn"]),
    ("Đảng ủy, UBND xã Quan Sơn lãnh đạo", ["UBND xã Quan Sơn"]),
    ("UBND các xã biên giới đẩy nhanh tiến độ", ["UBND các xã biên giới"]),
    ("Ban Quản lý dự án đầu tư xây dựng tỉnh rà soát", ["Ban Quản lý dự án đầu tư xây dựng tỉnh"]),
    ("Ban Quản lý dự án đầu tư xây dựng công trình giao thông hoàn thiện", [
        "Ban Quản lý dự án đầu tư xây dựng công trình giao thông"]),
    ("Trung tâm Dịch vụ nông nghiệp tổng hợp: triển khai", ["Trung tâm Dịch vụ nông nghiệp tổng hợp"]),
    ("Công an tỉnh, Bộ Chỉ huy Quân sự tỉnh xây dựng kế hoạch", ["Công an tỉnh", "Bộ Chỉ huy Quân sự tỉnh"]),
    ("Kho bạc Nhà nước khu vực VI thực hiện", ["Kho bạc Nhà nước khu vực VI"]),
    ("Ngân hàng Nhà nước chi nhánh khu vực 5 chỉ đạo", ["Ngân hàng Nhà nước chi nhánh khu vực 5"]),
    ("Ủy ban MTTQ Việt Nam tỉnh và các tổ chức chính trị - xã hội tỉnh tuyên truyền", [
        "Ủy ban MTTQ Việt Nam tỉnh", "Các tổ chức chính trị - xã hội tỉnh"]),
    ("Chánh Văn phòng UBND tỉnh theo dõi", ["Văn phòng UBND tỉnh"]),
    ("Văn phòng HĐND và UBND huyện tham mưu", ["Văn phòng HĐND và UBND huyện"]),
    ("Phó Giám đốc Sở Nguyễn Hữu Chiến chỉ đạo", ["Phó Giám đốc Sở Nguyễn Hữu Chiến"]),
    ("Phòng Kinh tế, Hạ tầng và Đô thị là cơ quan đầu mối", ["Phòng Kinh tế, Hạ tầng và Đô thị"]),
    ("Báo và phát thanh, truyền hình Cao Bằng duy trì", ["Báo và phát thanh, truyền hình Cao Bằng"]),
    ("Tỉnh khẩn trương hoàn thiện", ["Tỉnh"]),
    ("các xã: Thu Cúc, Kim Thượng và Trung Sơn báo cáo", [
        "UBND xã Thu Cúc", "UBND xã Kim Thượng", "UBND xã Trung Sơn"]),
    ("UBND các xã, thị trấn: Chủ động phương án", ["UBND các xã, thị trấn"]),
    ("UBND các huyện miền núi: Nam Trà My, Phước Sơn rà soát", ["UBND huyện Nam Trà My", "UBND huyện Phước Sơn"]),
    ("VP Điều phối NTM tỉnh đôn đốc", ["Văn phòng Điều phối NTM tỉnh"]),
    ("Văn phòng Đoàn đại biểu Quốc hội và HĐND tỉnh đăng tải", ["Văn phòng Đoàn đại biểu Quốc hội và HĐND tỉnh"]),
    ("Cục Chất lượng, Chế biến và Phát triển thị trường phối hợp", [
        "Cục Chất lượng, Chế biến và Phát triển thị trường"]),
    ("Trung tâm Dịch vụ tổng hợp tổ chức tiêm phòng", ["Trung tâm Dịch vụ tổng hợp"]),
    ("Các Tập đoàn VNPT, Viettel tập trung", ["Các Tập đoàn VNPT, Viettel"]),
    ("Bộ trưởng, Chủ nhiệm Ủy ban Dân tộc trực tiếp chỉ đạo", ["Ủy ban Dân tộc"]),
    ("đ/c Nguyễn Bá Thuần - Phó Giám đốc Sở chỉ đạo", ["Đồng chí Nguyễn Bá Thuần"]),
    ("Đài Truyền hình Việt Nam, Thông tấn xã Việt Nam tăng cường", [
        "Đài Truyền hình Việt Nam", "Thông tấn xã Việt Nam"]),
    ("Ban Chỉ huy phòng, chống thiên tai và tìm kiếm cứu nạn xã rà soát", [
        "Ban Chỉ huy phòng, chống thiên tai và tìm kiếm cứu nạn xã"]),
    ("Hội đồng Bồi thường, hỗ trợ và tái định cư xã hoàn thiện", ["Hội đồng Bồi thường, hỗ trợ và tái định cư xã"]),
    ("Ban Quản lý Khu kinh tế, công nghiệp thành phố làm việc với nhà đầu tư", [
        "Ban Quản lý Khu kinh tế, công nghiệp thành phố"]),
    ("Sở Y tế các tỉnh, thành phố báo cáo", ["Sở Y tế các tỉnh, thành phố"]),
    ("các sở giáo dục và đào tạo rà soát", ["Các sở giáo dục và đào tạo"]),
    ("Các cơ quan chủ chương trình (Bộ Xây dựng, Ủy ban Dân tộc) rà soát", ["Bộ Xây dựng", "Ủy ban Dân tộc"]),
    ("Các bộ quản lý chuyên ngành (Bộ Xây dựng, Bộ Công Thương): tổng kết", ["Bộ Xây dựng", "Bộ Công Thương"]),
    ("Các sở, ngành (Sở Tài chính là cơ quan thường trực) triển khai", ["Các sở, ngành"]),
    ("Các chủ đầu tư: Công ty Điện lực Bắc Giang, Ban Quản lý dự án 2 phải chuyển đủ", [
        "Công ty Điện lực Bắc Giang", "Ban Quản lý dự án 2"]),
    ("Bí thư Huyện ủy, Thị ủy tập trung chỉ đạo", ["Bí thư Huyện ủy, Thị ủy"]),
    ("Các Tỉnh ủy, Thành ủy trực thuộc Trung ương lãnh đạo", ["Các Tỉnh ủy, Thành ủy trực thuộc Trung ương"]),
    ("Các tổ chức chính trị - xã hội, Huyện ủy, Thị ủy tuyên truyền", [
        "Các tổ chức chính trị - xã hội, Huyện ủy, Thị ủy"]),
    ("Các sở, ban, ngành, Huyện ủy Văn Lãng rà soát", ["Các sở, ban, ngành", "Huyện ủy Văn Lãng"]),
    ("Thành ủy Hà Nội, Tỉnh ủy Bắc Ninh chỉ đạo", ["Thành ủy Hà Nội", "Tỉnh ủy Bắc Ninh"]),
    ("UBND các tỉnh: Đắk Lắk, Bà Rịa - Vũng Tàu khẩn trương", ["UBND tỉnh Đắk Lắk", "UBND tỉnh Bà Rịa - Vũng Tàu"]),
    ("UBND các tỉnh đã có quy hoạch được phê duyệt ban hành", ["UBND các tỉnh đã có quy hoạch được phê duyệt"]),
    ("UBND các tỉnh chưa được bố trí vốn tổng hợp nhu cầu", ["UBND các tỉnh chưa được bố trí vốn"]),
    ("Phó Thủ tướng Chính phủ phụ trách lĩnh vực trực tiếp chỉ đạo", ["Phó Thủ tướng Chính phủ phụ trách lĩnh vực"]),
    ("Phó Chủ tịch UBND tỉnh phụ trách khối kinh tế trực tiếp chỉ đạo", [
        "Phó Chủ tịch UBND tỉnh phụ trách khối kinh tế"]),
    ("Doanh nghiệp tư nhân Hoàng Long hoàn trả", ["Doanh nghiệp tư nhân Hoàng Long"]),
    ("UBND các tỉnh, thành phố khu vực Đồng bằng sông Cửu Long chỉ đạo", [
        "UBND các tỉnh, thành phố khu vực Đồng bằng sông Cửu Long"]),
    ("các đơn vị trực thuộc Bộ tổ chức", ["Các đơn vị trực thuộc Bộ"]),
    ("các cơ quan, đơn vị có nhiệm vụ quá hạn tập trung", ["Các cơ quan, đơn vị có nhiệm vụ quá hạn"]),
    ("các đơn vị được thanh tra có trách nhiệm báo cáo", ["Các đơn vị được thanh tra"]),
    ("các nhà máy thủy điện trên lưu vực sông Vu Gia, Thu Bồn thực hiện", [
        "Các nhà máy thủy điện trên lưu vực sông Vu Gia, Thu Bồn"]),
    ("các xã, phường Hà Giang 1, Hà Giang 2, Bắc Quang rà soát", [
        "UBND Hà Giang 1", "UBND Hà Giang 2", "UBND Bắc Quang"]),
    ("UBND 04 xã rà soát", ["UBND 04 xã"]),
    ("UBND phường B'Lao, UBND xã Đam Rông 2 khắc phục", ["UBND phường B'Lao", "UBND xã Đam Rông 2"]),
    ("Trưởng các thôn: Xanh, Lang vận động", ["Trưởng thôn Xanh", "Trưởng thôn Lang"]),
    ("các bộ chủ Chương trình: Nông nghiệp và Môi trường, Dân tộc và Tôn giáo rà soát", [
        "Bộ Nông nghiệp và Môi trường", "Bộ Dân tộc và Tôn giáo"]),
    ("Phòng Quản lý chất lượng công trình xây dựng xử lý", ["Phòng Quản lý chất lượng công trình xây dựng"]),
    ("Ban Quản lý bảo trì công trình giao thông: Tổ chức dặm vá", ["Ban Quản lý bảo trì công trình giao thông"]),
    ("Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh tuyên truyền, vận động hội viên", [
        "Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh"]),
    ("Ủy ban bầu cử các xã, phường chuẩn bị", ["Ủy ban bầu cử các xã, phường"]),
    ("Các Tổ công tác của Ủy ban bầu cử tỉnh tăng cường", ["Các Tổ công tác của Ủy ban bầu cử tỉnh"]),
    ("Các phường Cầu Giấy, Nghĩa Đô, Tây Hồ rà soát", [
        "UBND phường Cầu Giấy", "UBND phường Nghĩa Đô", "UBND phường Tây Hồ"]),
    ("các chủ đầu tư, Sở Tư pháp rà soát", ["Các chủ đầu tư", "Sở Tư pháp"]),
    ("Nhà thầu thi công khẩn trương bổ sung", ["Nhà thầu thi công"]),
    ("Viettel Quảng Ngãi khắc phục", ["Viettel Quảng Ngãi"]),
    ("VEC tổ chức thu phí", ["VEC"]),
    ("Thường trực HĐND tỉnh giám sát", ["Thường trực HĐND tỉnh"]),
    ("UBND các tỉnh, thành phố từ Thanh Hóa đến Quảng Ngãi chủ động", [
        "UBND các tỉnh, thành phố từ Thanh Hóa đến Quảng Ngãi"]),
    ("Phòng Điều dưỡng tổ chức kiểm tra", ["Phòng Điều dưỡng"]),
    ("Bộ trưởng, Thủ trưởng cơ quan ngang bộ, cơ quan thuộc Chính phủ, Chủ tịch UBND các tỉnh, thành phố trực thuộc "
     "Trung ương tập trung", [
        "Bộ trưởng, Thủ trưởng cơ quan ngang bộ, cơ quan thuộc Chính phủ, UBND các tỉnh, thành phố trực thuộc "
        "Trung ương"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), NAMES, ids=[text for text, _ in NAMES])
def test_names_end_where_the_action_begins(text: str, names: list[str]) -> None:
    assert [unit.name for unit in agencies.units(text, key(text), 0)] == names


@pytest.mark.parametrize(
    "text", ["báo cáo UBND tỉnh", "Báo cáo kết quả", "Ban hành kế hoạch", "Tổ chức thực hiện", "các trường hợp vi phạm"]
)
def test_actions_are_no_names(text: str) -> None:
    assert agencies.units(text, key(text), 0) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("các nghệ nhân làng lụa rà soát", "Các nghệ nhân làng lụa"),
        ("Ngọc Linh Group khẩn trương rà soát", "Ngọc Linh Group"),
        ("các nhiệm vụ rà soát", None),
    ],
)
def test_behind_a_word_that_assigns_the_form_may_be_unknown(text: str, name: str | None) -> None:
    assert [unit.name for unit in agencies.loose(text, key(text), 0)] == ([name] if name else [])


@pytest.mark.parametrize(
    ("name", "successor"),
    [
        ("Sở Kế hoạch và Đầu tư", "Sở Tài chính"),
        ("Sở Giao thông vận tải", "Sở Xây dựng"),
        ("Sở Lao động - Thương binh và Xã hội", "Sở Nội vụ"),
        ("Ban Dân tộc tỉnh", "Sở Dân tộc và Tôn giáo"),
        ("Sở Tài chính", None),
    ],
)
def test_a_former_body_has_its_successor(name: str, successor: str | None) -> None:
    assert agencies.successor_of(name) == successor
