/* Layouts, pipeline layers and shards: needing no context, rightly and wrongly called. */
#include <stdint.h>
#include <string.h>

#include "smoke.h"

static void expect_text(psBytes json, const char* part) {
  const void* data = NULL;
  size_t size = 0;
  psContentType type = 0;
  EXPECT(psBytesAt(json, 0, &data, &size, &type), PS_OK);
  CHECK(type == PS_CONTENT_JSON && strlen(data) == size);
  CHECK(strstr(data, part) != NULL);
}

static void refusals_teach(void) {
  psLayout layout = NULL;
  EXPECT(psLayoutCreate("megatron:tp=3", 8, &layout), PS_ERR_ARGUMENT);
  CHECK(layout == NULL);
  CHECK(strcmp(psLastError(), "psLayoutCreate: megatron: tp=3 does not divide world 8 (8 = 3 x 2 + 2); try tp=1, 2, 4 or 8; "
                              "at position 10 of 'megatron:tp=3'") == 0);
  EXPECT(psLayoutCreate("sglang:tp=8", 0, &layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCreate("sglang:tp=8", -8, &layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCreate("sglang:tp=8,nosuch=1", 8, &layout), PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "unknown key 'nosuch'; there are tp, pp") != NULL);
  EXPECT(psLayoutCreate("nosuch:tp=8", 8, &layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCreate("", 8, &layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCreate("grid:a=\xff\n", 8, &layout), PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "a='?\?'") != NULL);
  EXPECT(psLayoutCreate(NULL, 8, &layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCreate("sglang:tp=8", 8, NULL), PS_ERR_ARGUMENT);
  static char long_spec[6000];
  memset(long_spec, 'a', sizeof long_spec - 1);
  EXPECT(psLayoutCreate(long_spec, 8, &layout), PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "at most 4096 bytes, this one has 5999") != NULL);
  CHECK(layout == NULL);
}

static void infos(psLayout layout) {
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  EXPECT(psGetLayoutInfo(layout, &info), PS_OK);
  CHECK(info.world_size == 8 && info.hash != 0 && info.name_count >= 10 && info.axis_count == 12);
  CHECK(strcmp(info.spec, "sglang:tp=4,pp=2,attn_cp=2,moe_ep=2") == 0);
  EXPECT(psGetLayoutInfo(layout, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGetLayoutInfo(NULL, &info), PS_ERR_ARGUMENT);
  info.struct_size = 0;
  info.hash = 7;
  EXPECT(psGetLayoutInfo(layout, &info), PS_ERR_ARGUMENT);
  info.struct_size = (uint32_t)sizeof info - 1;
  EXPECT(psGetLayoutInfo(layout, &info), PS_ERR_ARGUMENT);
  CHECK(info.hash == 7);
  struct {
    psLayoutInfo info;
    uint64_t later;
  } grown = {PS_LAYOUT_INFO_INIT, 7};
  grown.info.struct_size = (uint32_t)sizeof grown;
  EXPECT(psGetLayoutInfo(layout, &grown.info), PS_OK);
  CHECK(grown.info.struct_size == sizeof grown && grown.later == 0);
}

static void names_and_axes(psLayout layout) {
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  EXPECT(psGetLayoutInfo(layout, &info), PS_OK);
  const char* name = NULL;
  const char* alias_of = "untouched";
  int aliases = 0;
  for (size_t i = 0; i < info.name_count; ++i) {
    EXPECT(psLayoutName(layout, i, &name, &alias_of), PS_OK);
    CHECK(name != NULL && name[0] != '\0');
    if (strcmp(name, "moe_dp") == 0) {
      CHECK(alias_of != NULL && strcmp(alias_of, "attn_cp") == 0);
      ++aliases;
    } else {
      CHECK(alias_of == NULL);
    }
  }
  CHECK(aliases == 1);
  EXPECT(psLayoutName(layout, 1, &name, NULL), PS_OK);
  CHECK(strcmp(name, "tp") == 0);
  EXPECT(psLayoutName(layout, info.name_count, &name, &alias_of), PS_ERR_ARGUMENT);
  EXPECT(psLayoutName(layout, SIZE_MAX, &name, &alias_of), PS_ERR_ARGUMENT);
  EXPECT(psLayoutName(layout, 0, NULL, &alias_of), PS_ERR_ARGUMENT);
  EXPECT(psLayoutName(NULL, 0, &name, &alias_of), PS_ERR_ARGUMENT);
  CHECK(strcmp(name, "tp") == 0);

  int32_t size = 0;
  EXPECT(psLayoutAxis(layout, 0, &name, &size), PS_OK);
  CHECK(strcmp(name, "tp") == 0 && size == 4);
  EXPECT(psLayoutAxis(layout, 2, &name, NULL), PS_OK);
  CHECK(strcmp(name, "attention.attn_tp") == 0);
  EXPECT(psLayoutAxis(layout, info.axis_count, &name, &size), PS_ERR_ARGUMENT);
  EXPECT(psLayoutAxis(layout, 0, NULL, &size), PS_ERR_ARGUMENT);
  EXPECT(psLayoutAxis(NULL, 0, &name, &size), PS_ERR_ARGUMENT);
}

static void groups(psLayout layout) {
  size_t count = 0;
  EXPECT(psLayoutGroupCount(layout, "attn_cp", &count), PS_OK);
  CHECK(count == 4);
  EXPECT(psLayoutGroupCount(layout, "pp-tp", &count), PS_OK);
  CHECK(count == 1);
  EXPECT(psLayoutGroupCount(layout, "nosuch", &count), PS_ERR_NOT_FOUND);
  CHECK(strstr(psLastError(), "there are world, tp, attn_cp") != NULL && count == 1);
  EXPECT(psLayoutGroupCount(layout, "", &count), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutGroupCount(layout, "tp-tp", &count), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutGroupCount(layout, "tp-nosuch", &count), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutGroupCount(layout, NULL, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupCount(layout, "tp", NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupCount(NULL, "tp", &count), PS_ERR_ARGUMENT);

  int32_t ranks[4] = {-7, -7, -7, -7};
  EXPECT(psLayoutGroupRanks(layout, "attn_cp", 1, NULL, 0, &count), PS_OK);
  CHECK(count == 2);
  EXPECT(psLayoutGroupRanks(layout, "attn_cp", 1, ranks, 4, &count), PS_OK);
  CHECK(count == 2 && ranks[0] == 1 && ranks[1] == 3 && ranks[2] == -7);
  EXPECT(psLayoutGroupRanks(layout, "tp", 1, ranks, 1, &count), PS_OK);
  CHECK(count == 4 && ranks[0] == 4 && ranks[1] == 3);
  EXPECT(psLayoutGroupRanks(layout, "tp", 2, ranks, 4, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(layout, "tp", SIZE_MAX, ranks, 4, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(layout, "tp", 0, NULL, 4, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(layout, "tp", 0, ranks, 4, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(layout, "nosuch", 0, ranks, 4, &count), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutGroupRanks(layout, NULL, 0, ranks, 4, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(NULL, "tp", 0, ranks, 4, &count), PS_ERR_ARGUMENT);
  CHECK(count == 4 && ranks[0] == 4);
}

static void places(psLayout layout) {
  size_t index = 0;
  int32_t rank = 0;
  EXPECT(psLayoutFind(layout, "tp", 6, &index, &rank), PS_OK);
  CHECK(index == 1 && rank == 2);
  EXPECT(psLayoutFind(layout, "tp", 6, NULL, NULL), PS_OK);
  EXPECT(psLayoutFind(layout, "tp", 8, &index, &rank), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFind(layout, "tp", -1, &index, &rank), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFind(layout, "nosuch", 0, &index, &rank), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutFind(layout, NULL, 0, &index, &rank), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFind(NULL, "tp", 0, &index, &rank), PS_ERR_ARGUMENT);
  CHECK(index == 1 && rank == 2);

  int32_t coordinate = 0;
  EXPECT(psLayoutCoordinate(layout, "attn_cp", 6, &coordinate), PS_OK);
  CHECK(coordinate == 1);
  EXPECT(psLayoutCoordinate(layout, "attention.attn_cp", 5, &coordinate), PS_OK);
  CHECK(coordinate == 0);
  EXPECT(psLayoutCoordinate(layout, "nosuch", 6, &coordinate), PS_ERR_NOT_FOUND);
  CHECK(strstr(psLastError(), "attention.attn_cp") != NULL);
  EXPECT(psLayoutCoordinate(layout, "tp", 8, &coordinate), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCoordinate(layout, "tp", -1, &coordinate), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCoordinate(layout, NULL, 6, &coordinate), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCoordinate(layout, "tp", 6, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCoordinate(NULL, "tp", 6, &coordinate), PS_ERR_ARGUMENT);
  CHECK(coordinate == 0);

  psLayout upper = NULL;
  EXPECT(psLayoutCreate("grid:tp=2,dp=2,rank_offset=4", 8, &upper), PS_OK);
  EXPECT(psLayoutFind(upper, "dp", 7, &index, &rank), PS_OK);
  CHECK(index == 1 && rank == 1);
  EXPECT(psLayoutFind(upper, "dp", 3, &index, &rank), PS_ERR_NOT_FOUND);
  EXPECT(psLayoutCoordinate(upper, "dp", 3, &coordinate), PS_ERR_NOT_FOUND);
  CHECK(strstr(psLastError(), "whose ranks are 4 .. 7") != NULL);
  EXPECT(psLayoutFree(upper), PS_OK);
}

static void texts(psLayout layout) {
  psBytes json = NULL;
  EXPECT(psLayoutDescribe(layout, &json), PS_OK);
  expect_text(json, "\"attn_cp\":[[0,2],[1,3],[4,6],[5,7]]");
  expect_text(json, "\"aliases\":{\"moe_dp\":\"attn_cp\"}");
  EXPECT(psBytesFree(json), PS_OK);
  json = NULL;
  EXPECT(psLayoutDescribe(layout, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutDescribe(NULL, &json), PS_ERR_ARGUMENT);

  psLayout same = NULL;
  psLayout other = NULL;
  EXPECT(psLayoutCreate("sglang:moe_ep=2,pp=2,attn_cp=2,tp=*", 8, &same), PS_OK);
  EXPECT(psLayoutCreate("sglang:tp=4,pp=2", 8, &other), PS_OK);
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  psLayoutInfo same_info = PS_LAYOUT_INFO_INIT;
  psLayoutInfo other_info = PS_LAYOUT_INFO_INIT;
  EXPECT(psGetLayoutInfo(layout, &info), PS_OK);
  EXPECT(psGetLayoutInfo(same, &same_info), PS_OK);
  EXPECT(psGetLayoutInfo(other, &other_info), PS_OK);
  CHECK(info.hash == same_info.hash && strcmp(info.spec, same_info.spec) == 0 && info.hash != other_info.hash);
  EXPECT(psLayoutDiff(layout, same, &json), PS_OK);
  expect_text(json, "{\"equal\":true}");
  EXPECT(psBytesFree(json), PS_OK);
  EXPECT(psLayoutDiff(layout, other, &json), PS_OK);
  expect_text(json, "{\"key\":\"attn_cp\",\"values\":[\"2\",null]}");
  EXPECT(psBytesFree(json), PS_OK);
  json = NULL;
  EXPECT(psLayoutDiff(layout, other, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutDiff(layout, NULL, &json), PS_ERR_ARGUMENT);
  EXPECT(psLayoutDiff(NULL, other, &json), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFree(other), PS_OK);
  EXPECT(psLayoutDiff(layout, other, &json), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFree(same), PS_OK);
  EXPECT(psLayoutCreate("grid:a=*", INT32_MAX, &same), PS_OK);
  EXPECT(psLayoutDescribe(same, &json), PS_ERR_UNSUPPORTED);
  EXPECT(psLayoutFree(same), PS_OK);
  CHECK(json == NULL);
}

static void freed(psLayout layout) {
  EXPECT(psLayoutFree(layout), PS_OK);
  EXPECT(psLayoutFree(layout), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFree(NULL), PS_OK);
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  const char* name = NULL;
  size_t count = 0;
  int32_t number = 0;
  psBytes json = NULL;
  EXPECT(psGetLayoutInfo(layout, &info), PS_ERR_ARGUMENT);
  EXPECT(psLayoutName(layout, 0, &name, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutAxis(layout, 0, &name, NULL), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupCount(layout, "tp", &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutGroupRanks(layout, "tp", 0, NULL, 0, &count), PS_ERR_ARGUMENT);
  EXPECT(psLayoutFind(layout, "tp", 0, &count, &number), PS_ERR_ARGUMENT);
  EXPECT(psLayoutCoordinate(layout, "tp", 0, &number), PS_ERR_ARGUMENT);
  EXPECT(psLayoutDescribe(layout, &json), PS_ERR_ARGUMENT);
  EXPECT(psLayoutDiff(layout, layout, &json), PS_ERR_ARGUMENT);
}

static void layers(void) {
  int64_t boundaries[5] = {-7, -7, -7, -7, -7};
  EXPECT(psPipelineLayers("sglang", 10, 4, NULL, boundaries), PS_OK);
  CHECK(boundaries[0] == 0 && boundaries[1] == 2 && boundaries[2] == 4 && boundaries[3] == 7 && boundaries[4] == 10);
  EXPECT(psPipelineLayers("vllm", 10, 4, NULL, boundaries), PS_OK);
  CHECK(boundaries[1] == 2 && boundaries[2] == 5 && boundaries[3] == 8 && boundaries[4] == 10);
  const int64_t partition[4] = {4, 3, 3, 0};
  EXPECT(psPipelineLayers("vllm", 10, 4, partition, boundaries), PS_OK);
  CHECK(boundaries[1] == 4 && boundaries[3] == 10 && boundaries[4] == 10);
  EXPECT(psPipelineLayers("vllm", 11, 4, partition, boundaries), PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "4+3+3+0 has 10 layers, 1 fewer than the model's 11") != NULL);
  EXPECT(psPipelineLayers("vllm", 10, 0, partition, boundaries), PS_ERR_ARGUMENT);
  EXPECT(psPipelineLayers("vllm", 10, -1, NULL, boundaries), PS_ERR_ARGUMENT);
  EXPECT(psPipelineLayers("vllm", -1, 4, NULL, boundaries), PS_ERR_ARGUMENT);
  EXPECT(psPipelineLayers("even", 10, 4, NULL, boundaries), PS_ERR_ARGUMENT);
  EXPECT(psPipelineLayers(NULL, 10, 4, NULL, boundaries), PS_ERR_ARGUMENT);
  EXPECT(psPipelineLayers("vllm", 10, 4, NULL, NULL), PS_ERR_ARGUMENT);
  CHECK(boundaries[1] == 4);
}

static void shards(void) {
  int64_t begin = -7;
  int64_t end = -7;
  EXPECT(psShardRange(12, 4, 3, &begin, &end), PS_OK);
  CHECK(begin == 9 && end == 12);
  EXPECT(psShardRange(INT64_MAX - 1, 2, 1, &begin, &end), PS_OK);
  CHECK(begin == INT64_MAX / 2 && end == INT64_MAX - 1);
  EXPECT(psShardRange(12, 5, 0, &begin, &end), PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "(12 = 5 x 2 + 2); try 1, 2, 3, 4 or 6 shards") != NULL);
  EXPECT(psShardRange(INT64_MAX, 2, 0, &begin, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(12, 4, 4, &begin, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(12, 4, -1, &begin, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(12, 0, 0, &begin, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(-12, 4, 0, &begin, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(12, 4, 0, NULL, &end), PS_ERR_ARGUMENT);
  EXPECT(psShardRange(12, 4, 0, &begin, NULL), PS_ERR_ARGUMENT);
  CHECK(begin == INT64_MAX / 2 && end == INT64_MAX - 1);
}

void smoke_layouts(void) {
  refusals_teach();
  psLayout layout = NULL;
  EXPECT(psLayoutCreate("sglang:tp=4,pp=*,attn_cp=2,moe_ep=2", 8, &layout), PS_OK);
  CHECK(layout != NULL);
  infos(layout);
  names_and_axes(layout);
  groups(layout);
  places(layout);
  texts(layout);
  freed(layout);
  layers();
  shards();
}
