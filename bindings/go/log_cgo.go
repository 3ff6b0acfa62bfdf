package parallelstate

// #include <stdint.h>
import "C"

//export parallelstateGoLog
func parallelstateGoLog(user C.uintptr_t, level C.int32_t, text *C.char) {
	deliverLog(uintptr(user), LogLevel(level), C.GoString(text))
}
