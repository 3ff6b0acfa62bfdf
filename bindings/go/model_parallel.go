package parallelstate

import (
	"time"
	"unsafe"
)

// ModelParallelOptions is what InitModelParallel and EnsureModelParallel take. Zero means default.
type ModelParallelOptions struct {
	Flags          Flags         // Deterministic, WarmUp, HostOnly: of all groups of the layout
	BackendOptions string        // per name, "tp:key=value,...;dp:..."; unknown names and keys are refused
	Timeout        time.Duration // deadline of their operations; default the context's
}

// InitModelParallel makes all groups of a layout in one step; Group then gives them by name. All ranks call it, with one
// spec (of a Layout: its Spec; "": that of PS_LAYOUT) and options; nil options are the defaults. ErrMismatch says which ranks want what, ErrState
// that there is a layout already.
func (c *Context) InitModelParallel(spec string, options *ModelParallelOptions) error {
	return c.form("Context.InitModelParallel", spec, options, false)
}

// EnsureModelParallel is InitModelParallel where there is no layout yet. It does nothing where there is this one; where
// there is another, the text of ErrState shows the difference.
func (c *Context) EnsureModelParallel(spec string, options *ModelParallelOptions) error {
	return c.form("Context.EnsureModelParallel", spec, options, true)
}

func (c *Context) form(op, spec string, options *ModelParallelOptions, ensure bool) error {
	if options == nil {
		options = &ModelParallelOptions{}
	}
	if err := checkText(op, "spec", spec, "BackendOptions", options.BackendOptions); err != nil {
		return err
	}
	if err := checkDuration(op, "Timeout", options.Timeout); err != nil {
		return err
	}
	pointer, err := c.unheld(op)
	if err != nil {
		return err
	}
	sweep()
	return library.formModelParallel(pointer, spec, options, ensure).err(op)
}

// ModelParallelIsInitialized reports whether there are groups of a layout.
func (c *Context) ModelParallelIsInitialized() (bool, error) {
	const op = "Context.ModelParallelIsInitialized"
	pointer, err := c.handle.acquire(op)
	if err != nil {
		return false, err
	}
	defer c.handle.release()
	result := library.modelParallelIsInitialized(pointer)
	return result.value == 1, result.err(op)
}

// DestroyModelParallel drops the groups of the layout; those that Group gave live on until they are closed. It needs no
// peer. Without a layout it does nothing; another InitModelParallel may follow.
func (c *Context) DestroyModelParallel() error {
	const op = "Context.DestroyModelParallel"
	pointer, err := c.unheld(op)
	if err != nil {
		return err
	}
	sweep()
	return library.destroyModelParallel(pointer).err(op)
}

// unheld gives the pointer for a call that may be blocked while Close ends it; see there.
func (c *Context) unheld(op string) (unsafe.Pointer, error) {
	pointer, err := c.handle.acquire(op)
	if err == nil {
		c.handle.release()
	}
	return pointer, err
}
