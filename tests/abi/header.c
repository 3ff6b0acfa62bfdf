/* The public header as every supported language standard sees it, C and C++ alike: it stands alone, and each
 * initialiser names every field. */
#include "parallelstate.h"

uint32_t ps_header_test(void);

uint32_t ps_header_test(void) {
  psConfig config = PS_CONFIG_INIT;
  psWorldInfo world = PS_WORLD_INFO_INIT;
  psRankInfo rank = PS_RANK_INFO_INIT;
  psStoreOptions store = PS_STORE_OPTIONS_INIT;
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  psGroupInfo group = PS_GROUP_INFO_INIT;
  psMessage message = PS_MESSAGE_INIT;
  psLayoutInfo layout = PS_LAYOUT_INFO_INIT;
  psModelParallelOptions parallel = PS_MODEL_PARALLEL_OPTIONS_INIT;
  psResult (*init)(const psConfig*, psContext*) = psInit;
  return config.struct_size + world.struct_size + rank.struct_size + store.struct_size + options.struct_size +
         group.struct_size + message.struct_size + layout.struct_size + parallel.struct_size + (uint32_t)(init != NULL);
}
