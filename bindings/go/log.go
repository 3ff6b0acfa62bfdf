package parallelstate

import (
	"fmt"
	"os"
	"sync"
)

// The log functions of the living contexts by number. The library may log until the last moment, from any thread; a
// number without a function is then ignored.
var logs = struct {
	sync.RWMutex
	functions map[uintptr]func(LogLevel, string)
	last      uintptr
}{functions: map[uintptr]func(LogLevel, string){}}

func registerLog(function func(LogLevel, string)) uintptr {
	if function == nil {
		return 0
	}
	logs.Lock()
	defer logs.Unlock()
	logs.last++
	logs.functions[logs.last] = function
	return logs.last
}

func unregisterLog(number uintptr) {
	logs.Lock()
	defer logs.Unlock()
	delete(logs.functions, number)
}

func deliverLog(number uintptr, level LogLevel, text string) {
	logs.RLock()
	function := logs.functions[number]
	logs.RUnlock()
	if function == nil {
		return
	}
	defer func() { // the caller is C code, through which a panic cannot pass
		if reason := recover(); reason != nil {
			fmt.Fprintf(os.Stderr, "parallelstate: the log function panicked: %v (line was: %s)\n", reason, text)
		}
	}()
	function(level, text)
}
